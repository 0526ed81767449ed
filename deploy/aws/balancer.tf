# The public load balancer: TLS, and nothing behind it but the gateway.
resource "aws_lb" "registru" {
  #checkov:skip=CKV_AWS_91:who asked for what is in the API's own audit log
  #checkov:skip=CKV2_AWS_28:limits are the API's own; a web application firewall is put before it where wanted
  name                       = "registru"
  internal                   = false
  load_balancer_type         = "application"
  subnets                    = var.public_subnets
  security_groups            = [aws_security_group.balancer.id]
  drop_invalid_header_fields = true
  enable_deletion_protection = true
  idle_timeout               = 120 # longer than a request may wait (60 s)
}

resource "aws_lb_target_group" "gateway" {
  #checkov:skip=CKV_AWS_378:inside the network; TLS ends at the load balancer
  name        = "registru-gateway"
  port        = 8080
  protocol    = "HTTP"
  target_type = "ip"
  vpc_id      = var.vpc_id
  health_check {
    path     = "/metrics" # the gateway's own answer: of the others ECS asks each itself
    interval = 10
    matcher  = "404"
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.registru.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.certificate_arn
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.gateway.arn
  }
}

output "address" {
  description = "Where the public name points"
  value       = aws_lb.registru.dns_name
}
