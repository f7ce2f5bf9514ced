"""ECS decided: services, their rollouts, tasks, and what an engine is told of a task."""
