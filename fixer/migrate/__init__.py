"""Many repositories: a campaign plans fixes for all of them and publishes them as pull requests, at its own pace.

`campaign` is what is asked for, `journal` what happened; `sources` finds the repositories, `work` plans for one of them
in a process that can be killed, `planning` has that done by many workers, `publishing` is the one place that writes to
a host, and `report` tells about it.
"""
