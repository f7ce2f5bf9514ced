"""The name server: tasks and the host ask it; it answers from `Zones` and asks the host's resolvers for the rest."""
