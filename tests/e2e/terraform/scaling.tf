# A service with every kind of scaling, its alarms, and what CloudWatch Logs has around a log group.
variable "high" { default = "80" }
variable "most" { default = "4" }
variable "night" { default = "cron(0 22 * * ? *)" }
variable "pattern" { default = "ERROR" }

provider "aws" {}

data "aws_subnets" "all" {}

resource "aws_ecs_cluster" "main" { name = "scaled" }

resource "aws_ecs_task_definition" "web" {
  family                   = "scaled"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = "256"
  memory                   = "512"
  container_definitions    = jsonencode([{ name = "app", image = "app", essential = true }])
}

resource "aws_ecs_service" "web" {
  name            = "web"
  cluster         = aws_ecs_cluster.main.arn
  task_definition = aws_ecs_task_definition.web.arn
  desired_count   = 1
  launch_type     = "FARGATE"
  network_configuration { subnets = data.aws_subnets.all.ids }
}

resource "aws_appautoscaling_target" "web" {
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${aws_ecs_cluster.main.name}/${aws_ecs_service.web.name}"
  min_capacity       = 1
  max_capacity       = var.most
  tags               = { team = "web" }
}

resource "aws_appautoscaling_policy" "cpu" {
  name               = "cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.web.service_namespace
  scalable_dimension = aws_appautoscaling_target.web.scalable_dimension
  resource_id        = aws_appautoscaling_target.web.resource_id
  target_tracking_scaling_policy_configuration {
    target_value       = 60
    scale_in_cooldown  = 60
    scale_out_cooldown = 30
    predefined_metric_specification { predefined_metric_type = "ECSServiceAverageCPUUtilization" }
  }
}

resource "aws_appautoscaling_policy" "queue" {
  name               = "queue"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.web.service_namespace
  scalable_dimension = aws_appautoscaling_target.web.scalable_dimension
  resource_id        = aws_appautoscaling_target.web.resource_id
  target_tracking_scaling_policy_configuration {
    target_value     = 100
    disable_scale_in = true
    customized_metric_specification {
      metrics {
        id          = "m1"
        return_data = false
        metric_stat {
          stat = "Sum"
          metric {
            namespace   = "App"
            metric_name = "Backlog"
            dimensions {
              name  = "Queue"
              value = "jobs"
            }
          }
        }
      }
      metrics {
        id          = "e1"
        expression  = "m1 / 2"
        label       = "half"
        return_data = true
      }
    }
  }
}

resource "aws_appautoscaling_policy" "steps" {
  name               = "steps"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.web.service_namespace
  scalable_dimension = aws_appautoscaling_target.web.scalable_dimension
  resource_id        = aws_appautoscaling_target.web.resource_id
  step_scaling_policy_configuration {
    adjustment_type         = "ChangeInCapacity"
    cooldown                = 60
    metric_aggregation_type = "Average"
    step_adjustment {
      metric_interval_lower_bound = 0
      metric_interval_upper_bound = 10
      scaling_adjustment          = 1
    }
    step_adjustment {
      metric_interval_lower_bound = 10
      scaling_adjustment          = 2
    }
  }
}

resource "aws_appautoscaling_scheduled_action" "night" {
  name               = "night"
  service_namespace  = aws_appautoscaling_target.web.service_namespace
  scalable_dimension = aws_appautoscaling_target.web.scalable_dimension
  resource_id        = aws_appautoscaling_target.web.resource_id
  schedule           = var.night
  timezone           = "Europe/Berlin"
  scalable_target_action {
    min_capacity = 0
    max_capacity = 1
  }
}

resource "aws_cloudwatch_metric_alarm" "busy" {
  alarm_name          = "busy"
  alarm_description   = "steps out"
  namespace           = "AWS/ECS"
  metric_name         = "CPUUtilization"
  statistic           = "Average"
  period              = 60
  evaluation_periods  = 2
  threshold           = var.high
  comparison_operator = "GreaterThanOrEqualToThreshold"
  alarm_actions       = [aws_appautoscaling_policy.steps.arn]
  treat_missing_data  = "notBreaching"
  dimensions = {
    ClusterName = aws_ecs_cluster.main.name
    ServiceName = aws_ecs_service.web.name
  }
  tags = { team = "web" }
}

resource "aws_cloudwatch_metric_alarm" "slow" {
  alarm_name                            = "slow"
  namespace                             = "App"
  metric_name                           = "Latency"
  extended_statistic                    = "p99"
  period                                = 300
  evaluation_periods                    = 3
  datapoints_to_alarm                   = 2
  threshold                             = 0.5
  comparison_operator                   = "GreaterThanThreshold"
  evaluate_low_sample_count_percentiles = "ignore"
}

resource "aws_cloudwatch_metric_alarm" "share" {
  alarm_name          = "share"
  evaluation_periods  = 1
  threshold           = 10
  comparison_operator = "GreaterThanThreshold"
  metric_query {
    id          = "e1"
    expression  = "m2/m1*100"
    label       = "errors in percent"
    return_data = true
  }
  metric_query {
    id = "m1"
    metric {
      metric_name = "Requests"
      namespace   = "App"
      period      = 60
      stat        = "Sum"
    }
  }
  metric_query {
    id = "m2"
    metric {
      metric_name = "Errors"
      namespace   = "App"
      period      = 60
      stat        = "Sum"
      dimensions  = { Host = "a" }
    }
  }
}

resource "aws_cloudwatch_composite_alarm" "both" {
  alarm_name        = "both"
  alarm_description = "busy and failing"
  alarm_rule        = <<-RULE
    ALARM(${aws_cloudwatch_metric_alarm.busy.alarm_name}) AND
    (ALARM("${aws_cloudwatch_metric_alarm.share.arn}") OR NOT OK(${aws_cloudwatch_metric_alarm.slow.alarm_name}))
  RULE
  alarm_actions     = ["arn:aws:sns:us-east-1:123456789012:pager-${var.high}"]
  ok_actions        = ["arn:aws:sns:us-east-1:123456789012:pager"]
  actions_suppressor {
    alarm            = aws_cloudwatch_metric_alarm.slow.alarm_name
    extension_period = 10
    wait_period      = 20
  }
  tags = { team = "web" }
}

resource "aws_cloudwatch_log_group" "app" {
  name              = "/scaled/app"
  retention_in_days = 7
  kms_key_id        = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
}

resource "aws_cloudwatch_log_group" "old" {
  name            = "/scaled/old"
  log_group_class = "INFREQUENT_ACCESS"
}

resource "aws_cloudwatch_log_metric_filter" "errors" {
  name           = "errors"
  log_group_name = aws_cloudwatch_log_group.app.name
  pattern        = var.pattern
  metric_transformation {
    name          = "Errors"
    namespace     = "App"
    value         = "1"
    default_value = "0"
  }
}

resource "aws_cloudwatch_log_metric_filter" "latency" {
  name           = "latency"
  log_group_name = aws_cloudwatch_log_group.app.name
  pattern        = "{ $.latency > 100 }"
  metric_transformation {
    name       = "Latency"
    namespace  = "App"
    value      = "$.latency"
    unit       = "Milliseconds"
    dimensions = { Host = "$.host" }
  }
}

resource "aws_cloudwatch_log_subscription_filter" "archive" {
  name            = "archive"
  log_group_name  = aws_cloudwatch_log_group.app.name
  filter_pattern  = var.pattern
  destination_arn = "arn:aws:firehose:us-east-1:123456789012:deliverystream/archive"
  role_arn        = "arn:aws:iam::123456789012:role/archive"
}

resource "aws_cloudwatch_log_subscription_filter" "watch" {
  name            = "watch"
  log_group_name  = aws_cloudwatch_log_group.app.name
  filter_pattern  = ""
  destination_arn = "arn:aws:lambda:us-east-1:123456789012:function:watch"
}

data "aws_cloudwatch_log_data_protection_policy_document" "emails" {
  name = "emails"
  statement {
    sid              = "audit"
    data_identifiers = ["arn:aws:dataprotection::aws:data-identifier/EmailAddress"]
    operation {
      audit {
        findings_destination {}
      }
    }
  }
  statement {
    sid              = "mask"
    data_identifiers = ["arn:aws:dataprotection::aws:data-identifier/EmailAddress"]
    operation {
      deidentify {
        mask_config {}
      }
    }
  }
}

resource "aws_cloudwatch_log_data_protection_policy" "emails" {
  log_group_name  = aws_cloudwatch_log_group.app.name
  policy_document = data.aws_cloudwatch_log_data_protection_policy_document.emails.json
}

resource "aws_cloudwatch_log_index_policy" "requests" {
  log_group_name  = aws_cloudwatch_log_group.app.name
  policy_document = jsonencode({ Fields = ["requestId", var.pattern] })
}

data "aws_iam_policy_document" "dns" {
  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["arn:aws:logs:*:*:log-group:/scaled/*"]
    principals {
      type        = "Service"
      identifiers = ["route53.amazonaws.com"]
    }
  }
}

resource "aws_cloudwatch_log_resource_policy" "dns" {
  policy_name     = "dns"
  policy_document = data.aws_iam_policy_document.dns.json
}

resource "aws_cloudwatch_query_definition" "slow" {
  name            = "app/slow"
  log_group_names = [aws_cloudwatch_log_group.app.name]
  query_string    = "fields @timestamp, @message | filter latency > ${var.high}"
}

resource "aws_cloudwatch_dashboard" "main" {
  dashboard_name = "scaled"
  dashboard_body = jsonencode({ widgets = [{ type = "text", properties = { markdown = "# ${var.high}" } }] })
}
