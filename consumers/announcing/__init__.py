"""What a worker says about itself: its tasks and schedules in `A.registry`, its heartbeats in `A.workers`."""
