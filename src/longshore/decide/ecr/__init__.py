"""ECR decided: which images a lifecycle policy expires."""
