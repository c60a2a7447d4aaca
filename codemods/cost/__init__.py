"""Rules that save what nobody needs to pay."""
