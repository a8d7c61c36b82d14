"""`gen resume`."""

from __future__ import annotations

from genlab.cli.options import RunArgument, StopAtOption


def resume(run: RunArgument, stop_at: StopAtOption = None) -> None:
    """Resume a run, exactly where it stopped."""
    import genlab
    from genlab.cli.ending import end

    end(genlab.resume(run, stop_at=stop_at))
