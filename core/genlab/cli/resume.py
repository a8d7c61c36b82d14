"""`gen resume`."""

from __future__ import annotations

from genlab.cli.options import RunArgument, StopAtOption


def resume(run: RunArgument, stop_at: StopAtOption = None) -> None:
    """Go on with a run that was stopped, exactly."""
    import genlab
    from genlab.cli.ending import end

    end(genlab.resume(run, stop_at=stop_at))
