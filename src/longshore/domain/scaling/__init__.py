"""Application Auto Scaling, its schedules, and CloudWatch's alarms."""
