# Two roles for each task: the execution role, with which ECS starts the task, and the role of the task itself.
data "aws_iam_policy_document" "ecs" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
}

resource "aws_iam_role" "execution" {
  for_each           = local.tasks
  name               = "registru-${each.key}-execution"
  assume_role_policy = data.aws_iam_policy_document.ecs.json
}

data "aws_iam_policy_document" "execution" {
  #checkov:skip=CKV_AWS_356:ecr:GetAuthorizationToken does not support resources
  for_each = local.tasks
  statement {
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }
  statement {
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    resources = [for repository in aws_ecr_repository.registru : repository.arn]
  }
  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.registru[each.key].arn}:*"]
  }
  # Caddy reads its key from the environment, which ECS sets from the secret.
  dynamic "statement" {
    for_each = each.key == "gateway" ? [aws_secretsmanager_secret.registru["gateway"].arn] : []
    content {
      actions   = ["secretsmanager:GetSecretValue"]
      resources = [statement.value]
    }
  }
  statement {
    actions   = ["kms:Decrypt"]
    resources = [aws_kms_key.registru.arn]
  }
}

resource "aws_iam_role_policy" "execution" {
  for_each = local.tasks
  role     = aws_iam_role.execution[each.key].id
  policy   = data.aws_iam_policy_document.execution[each.key].json
}

resource "aws_iam_role" "task" {
  for_each           = local.tasks
  name               = "registru-${each.key}"
  assume_role_policy = data.aws_iam_policy_document.ecs.json
}

# All other tasks read their own secret themselves, and reload it when it changes (docs/secrets.md).
data "aws_iam_policy_document" "secret" {
  for_each = { for name, task in local.tasks : name => task if name != "gateway" }
  statement {
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [aws_secretsmanager_secret.registru[each.key].arn]
  }
  statement {
    actions   = ["kms:Decrypt"]
    resources = [aws_kms_key.registru.arn]
  }
}

resource "aws_iam_role_policy" "secret" {
  for_each = data.aws_iam_policy_document.secret
  name     = "secret"
  role     = aws_iam_role.task[each.key].id
  policy   = each.value.json
}

# The webserver and the daemon may launch runs: tasks of one definition in one cluster.
data "aws_iam_policy_document" "launcher" {
  #checkov:skip=CKV_AWS_111:ecs:DescribeTaskDefinition and ec2:DescribeNetworkInterfaces do not support resources
  #checkov:skip=CKV_AWS_356:ecs:DescribeTaskDefinition and ec2:DescribeNetworkInterfaces do not support resources
  statement {
    actions   = ["ecs:RunTask"]
    resources = ["arn:aws:ecs:${var.region}:${local.account}:task-definition/registru-run:*"]
    condition {
      test     = "ArnEquals"
      variable = "ecs:cluster"
      values   = [aws_ecs_cluster.registru.arn]
    }
  }
  statement {
    actions   = ["ecs:DescribeTasks", "ecs:StopTask", "ecs:TagResource"]
    resources = ["arn:aws:ecs:${var.region}:${local.account}:task/${aws_ecs_cluster.registru.name}/*"]
  }
  statement {
    actions   = ["ecs:DescribeTaskDefinition", "ec2:DescribeNetworkInterfaces"]
    resources = ["*"]
  }
  statement {
    actions   = ["iam:PassRole"]
    resources = [aws_iam_role.execution["run"].arn, aws_iam_role.task["run"].arn]
    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ecs-tasks.amazonaws.com"]
    }
  }
}

# The read-only webserver shows the launcher's configuration, for which the launcher reads its task definition.
data "aws_iam_policy_document" "launcher_shown" {
  #checkov:skip=CKV_AWS_356:ecs:DescribeTaskDefinition does not support resources
  statement {
    actions   = ["ecs:DescribeTaskDefinition"]
    resources = ["*"]
  }
}

resource "aws_iam_role_policy" "launcher_shown" {
  role   = aws_iam_role.task["webserver-readonly"].id
  policy = data.aws_iam_policy_document.launcher_shown.json
}

resource "aws_iam_role_policy" "launcher" {
  for_each = toset(["webserver", "daemon"])
  role     = aws_iam_role.task[each.key].id
  policy   = data.aws_iam_policy_document.launcher.json
}
