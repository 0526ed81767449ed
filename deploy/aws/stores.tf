# PostgreSQL and Redis: encrypted, in private subnets, reachable only from the tasks that need them.
resource "aws_kms_key" "registru" {
  description             = "Registru's data at rest, logs and secrets"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Account"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::${local.account}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "Logs"
        Effect    = "Allow"
        Principal = { Service = "logs.${var.region}.amazonaws.com" }
        Action    = ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"]
        Resource  = "*"
        Condition = {
          ArnLike = { "kms:EncryptionContext:aws:logs:arn" = "arn:aws:logs:${var.region}:${local.account}:log-group:/registru/*" }
        }
      },
    ]
  })
}

resource "aws_db_subnet_group" "registru" {
  name       = "registru"
  subnet_ids = var.private_subnets
}

resource "aws_db_parameter_group" "registru" {
  name   = "registru"
  family = "postgres16"
  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }
  # PostgreSQL notices within two minutes that a task has disappeared, and then releases the locks of that task.
  parameter {
    name  = "tcp_keepalives_idle"
    value = "60"
  }
  parameter {
    name  = "tcp_keepalives_interval"
    value = "15"
  }
  parameter {
    name  = "tcp_keepalives_count"
    value = "4"
  }
  parameter {
    name  = "log_min_duration_statement"
    value = "2000"
  }
}

resource "aws_db_instance" "registru" {
  #checkov:skip=CKV_AWS_118:Performance Insights is sufficient
  identifier                          = "registru"
  engine                              = "postgres"
  engine_version                      = "16"
  instance_class                      = var.database_class
  allocated_storage                   = var.database_gigabytes
  max_allocated_storage               = var.database_gigabytes * 4
  storage_type                        = "gp3"
  storage_encrypted                   = true
  kms_key_id                          = aws_kms_key.registru.arn
  username                            = "registru_admin"
  manage_master_user_password         = true # stored and rotated in Secrets Manager; no task gets it
  master_user_secret_kms_key_id       = aws_kms_key.registru.arn
  iam_database_authentication_enabled = true
  db_subnet_group_name                = aws_db_subnet_group.registru.name
  parameter_group_name                = aws_db_parameter_group.registru.name
  vpc_security_group_ids              = [aws_security_group.stores.id]
  publicly_accessible                 = false
  multi_az                            = true
  backup_retention_period             = 14
  copy_tags_to_snapshot               = true
  deletion_protection                 = true
  auto_minor_version_upgrade          = true
  performance_insights_enabled        = true
  performance_insights_kms_key_id     = aws_kms_key.registru.arn
  enabled_cloudwatch_logs_exports     = ["postgresql", "upgrade"]
  final_snapshot_identifier           = "registru-last"
}

resource "random_password" "redis" {
  for_each = local.redis
  length   = 48
  special  = false
}

resource "aws_elasticache_subnet_group" "registru" {
  name       = "registru"
  subnet_ids = var.private_subnets
}

locals {
  redis = {
    # Sessions, rate limits and claims are never evicted. (With Celery, the broker is another logical database.)
    state = { policy = "noeviction", class = var.state_class, snapshots = 7 }
    # Cached records. The least recently used ones are evicted when it is full, and losing all of them is harmless.
    cache = { policy = "allkeys-lru", class = var.cache_class, snapshots = 0 }
  }
}

resource "aws_elasticache_parameter_group" "registru" {
  for_each = local.redis
  name     = "registru-${each.key}"
  family   = "valkey8"
  parameter {
    name  = "maxmemory-policy"
    value = each.value.policy
  }
}

resource "aws_elasticache_replication_group" "registru" {
  #checkov:skip=CKV_AWS_134:PostgreSQL holds everything that is in the cache
  for_each                   = local.redis
  replication_group_id       = "registru-${each.key}"
  description                = "Registru's ${each.key}"
  engine                     = "valkey"
  engine_version             = "8.0"
  node_type                  = each.value.class
  num_cache_clusters         = 2
  automatic_failover_enabled = true
  multi_az_enabled           = true
  parameter_group_name       = aws_elasticache_parameter_group.registru[each.key].name
  subnet_group_name          = aws_elasticache_subnet_group.registru.name
  security_group_ids         = [aws_security_group.stores.id]
  at_rest_encryption_enabled = true
  kms_key_id                 = aws_kms_key.registru.arn
  transit_encryption_enabled = true
  auth_token                 = random_password.redis[each.key].result
  snapshot_retention_limit   = each.value.snapshots
}
