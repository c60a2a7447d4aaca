"""Generated tests take the same examples in every run; `pytest --hypothesis-profile search` takes others, and many.

An interrupt interrupts, also where a shell has started the tests in the background and ignores it for them.
"""

import signal

from hypothesis import HealthCheck, settings

SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)

settings.register_profile("search", max_examples=1500, deadline=None, print_blob=True, suppress_health_check=SLOW)
settings.register_profile("same", settings.get_profile("search"), max_examples=45, derandomize=True)
settings.load_profile("same")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
