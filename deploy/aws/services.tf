# The ECS services, each with its own role, log group and secret.
locals {
  # `image` is in ECR, `task` names a definition in tasks/, `stores` lists the ports of the stores that the service needs.
  services = {
    gateway   = { image = "gateway", task = "gateway", port = 8080, replicas = 2, cpu = 256, memory = 512, stores = [] }
    api       = { image = "api", task = "api", port = 8000, replicas = var.api_replicas, cpu = 1024, memory = 2048, stores = [5432, 6379] }
    webserver = { image = "dagster", task = "webserver", port = 3000, replicas = 1, cpu = 512, memory = 2048, stores = [5432, 6379] }
    # The read-only web UI launches no runs and needs only Dagster's database.
    webserver-readonly = { image = "dagster", task = "webserver-readonly", port = 3000, replicas = 1, cpu = 512, memory = 2048, stores = [5432] }
    daemon             = { image = "dagster", task = "daemon", port = 0, replicas = 1, cpu = 512, memory = 2048, stores = [5432, 6379] }
    code               = { image = "pipeline", task = "code", port = 4000, replicas = 1, cpu = 512, memory = 2048, stores = [5432, 6379] }
  }
  # A run is a task without a service. The webserver or the daemon starts it in the network of its own task.
  tasks = merge(local.services, {
    run = { image = "pipeline", task = "run", port = 0, replicas = 0, cpu = 1024, memory = 4096, stores = [] }
  })
  containers = {
    for name, task in local.tasks : name => templatefile("${path.module}/tasks/${task.task}.json", {
      image     = "${aws_ecr_repository.registru[task.image].repository_url}:${var.image_tag}"
      region    = var.region
      log_group = aws_cloudwatch_log_group.registru[name].name
      secret    = aws_secretsmanager_secret.registru[name].arn
      site_rate = var.site_rate
    })
  }
}

resource "aws_ecr_repository" "registru" {
  for_each             = toset(["api", "dagster", "gateway", "migrate", "pipeline", "tools"])
  name                 = "registru/${each.key}"
  image_tag_mutability = "IMMUTABLE"
  image_scanning_configuration {
    scan_on_push = true
  }
  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = aws_kms_key.registru.arn
  }
}

resource "aws_cloudwatch_log_group" "registru" {
  for_each          = local.tasks
  name              = "/registru/${each.key}"
  retention_in_days = 400
  kms_key_id        = aws_kms_key.registru.arn
}

# Created empty. Store the values by hand or by a deployment pipeline, not with Terraform, whose state is in plain text.
resource "aws_secretsmanager_secret" "registru" {
  #checkov:skip=CKV2_AWS_57:the operator rotates them together with the roles in PostgreSQL
  for_each   = local.tasks
  name       = "registru/${each.key}"
  kms_key_id = aws_kms_key.registru.arn
}

resource "aws_ecs_cluster" "registru" {
  name = "registru"
  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_service_discovery_http_namespace" "registru" {
  name = "registru"
}

resource "aws_ecs_task_definition" "registru" {
  for_each                 = local.tasks
  family                   = "registru-${each.key}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = each.value.cpu
  memory                   = each.value.memory
  execution_role_arn       = aws_iam_role.execution[each.key].arn
  task_role_arn            = aws_iam_role.task[each.key].arn
  container_definitions    = local.containers[each.key]
  volume {
    name = "scratch"
  }
}

resource "aws_ecs_service" "registru" {
  for_each               = local.services
  name                   = each.key
  cluster                = aws_ecs_cluster.registru.id
  task_definition        = aws_ecs_task_definition.registru[each.key].arn
  desired_count          = each.value.replicas
  launch_type            = "FARGATE"
  enable_execute_command = false
  propagate_tags         = "SERVICE"
  # Only one daemon may run at a time, so the old one stops before the new one starts.
  deployment_minimum_healthy_percent = each.key == "daemon" ? 0 : 100
  deployment_maximum_percent         = each.key == "daemon" ? 100 : 200
  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }
  network_configuration {
    subnets          = var.private_subnets
    security_groups  = [aws_security_group.service[each.key].id]
    assign_public_ip = false
  }
  service_connect_configuration {
    enabled   = true
    namespace = aws_service_discovery_http_namespace.registru.arn
    dynamic "service" {
      for_each = each.value.port == 0 || each.key == "gateway" ? [] : [each.value.port]
      content {
        port_name      = each.key
        discovery_name = each.key
        client_alias {
          dns_name = each.key
          port     = service.value
        }
        # Server-sent events and Dagster's WebSockets are long-lived connections.
        timeout {
          idle_timeout_seconds        = 0
          per_request_timeout_seconds = 0
        }
      }
    }
  }
  dynamic "load_balancer" {
    for_each = each.key == "gateway" ? [aws_lb_target_group.gateway.arn] : []
    content {
      target_group_arn = load_balancer.value
      container_name   = "gateway"
      container_port   = 8080
    }
  }
}
