# Security groups: which service may connect to which. Only the load balancer has a public address.
data "aws_caller_identity" "this" {}

locals {
  account = data.aws_caller_identity.this.account_id
  # Allowed connections between services, with their ports.
  ways = {
    gateway_to_api       = { from = "gateway", to = "api", port = 8000 }
    gateway_to_webserver = { from = "gateway", to = "webserver", port = 3000 }
    gateway_to_readonly  = { from = "gateway", to = "webserver-readonly", port = 3000 }
    readonly_to_code     = { from = "webserver-readonly", to = "code", port = 4000 }
    api_to_webserver     = { from = "api", to = "webserver", port = 3000 }
    webserver_to_code    = { from = "webserver", to = "code", port = 4000 }
    daemon_to_code       = { from = "daemon", to = "code", port = 4000 }
  }
}

resource "aws_security_group" "balancer" {
  name        = "registru-balancer"
  # AWS cannot change a description. If you edit this one, Terraform deletes the group and creates a new one.
  description = "The one public door"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "public" {
  security_group_id = aws_security_group.balancer.id
  description       = "HTTPS from anywhere"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "balancer" {
  security_group_id            = aws_security_group.balancer.id
  description                  = "to the gateway"
  referenced_security_group_id = aws_security_group.service["gateway"].id
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
}

resource "aws_security_group" "service" {
  #checkov:skip=CKV2_AWS_5:attached in services.tf, by for_each
  for_each    = local.services
  name        = "registru-${each.key}"
  description = "Registru's ${each.key}"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "gateway" {
  security_group_id            = aws_security_group.service["gateway"].id
  description                  = "from the load balancer"
  referenced_security_group_id = aws_security_group.balancer.id
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
}

resource "aws_vpc_security_group_ingress_rule" "way" {
  for_each                     = local.ways
  security_group_id            = aws_security_group.service[each.value.to].id
  description                  = "from the ${each.value.from}"
  referenced_security_group_id = aws_security_group.service[each.value.from].id
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

# Outgoing: HTTPS (ECR, Secrets Manager, the site to scrape), the services above, and the stores.
resource "aws_vpc_security_group_egress_rule" "https" {
  for_each          = local.services
  security_group_id = aws_security_group.service[each.key].id
  description       = "HTTPS"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "way" {
  for_each                     = local.ways
  security_group_id            = aws_security_group.service[each.value.from].id
  description                  = "to the ${each.value.to}"
  referenced_security_group_id = aws_security_group.service[each.value.to].id
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_security_group" "stores" {
  name        = "registru-stores"
  description = "PostgreSQL and Redis"
  vpc_id      = var.vpc_id
}

locals {
  store_ways = merge([
    for name, service in local.services : {
      for port in service.stores : "${name}-${port}" => { service = name, port = port }
    }
  ]...)
}

resource "aws_vpc_security_group_ingress_rule" "stores" {
  for_each                     = local.store_ways
  security_group_id            = aws_security_group.stores.id
  description                  = "from the ${each.value.service}"
  referenced_security_group_id = aws_security_group.service[each.value.service].id
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_egress_rule" "stores" {
  for_each                     = local.store_ways
  security_group_id            = aws_security_group.service[each.value.service].id
  description                  = "to the stores"
  referenced_security_group_id = aws_security_group.stores.id
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}
