"""`gen resume`."""

from __future__ import annotations

from genlab.cli.options import RunPath, StopAt


def resume(run: RunPath, stop_at: StopAt = None) -> None:
    """Go on with a run that was stopped, exactly."""
    import genlab
    from genlab.cli.ending import end

    end(genlab.resume(run, stop_at=stop_at))
