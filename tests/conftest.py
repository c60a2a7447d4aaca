"""Generated tests take the same examples in every run; `pytest --hypothesis-profile search` takes others, and many."""

from hypothesis import HealthCheck, settings

SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)

settings.register_profile("search", max_examples=1500, deadline=None, print_blob=True, suppress_health_check=SLOW)
settings.register_profile("same", settings.get_profile("search"), max_examples=45, derandomize=True)
settings.load_profile("same")
