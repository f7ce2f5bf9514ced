"""What ECS has: clusters, task definitions, services, tasks, and what an engine is told of them."""
