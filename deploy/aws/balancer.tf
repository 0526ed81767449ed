# The public load balancer. It terminates TLS and forwards only to the gateway.
resource "aws_lb" "registru" {
  #checkov:skip=CKV_AWS_91:the API's audit log records requests
  #checkov:skip=CKV2_AWS_28:the API has rate limits of its own; a web application firewall is optional
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
  #checkov:skip=CKV_AWS_378:within the private network; TLS ends at the load balancer
  name        = "registru-gateway"
  port        = 8080
  protocol    = "HTTP"
  target_type = "ip"
  vpc_id      = var.vpc_id
  health_check {
    path     = "/metrics" # answered by the gateway itself; ECS checks the health of the other services
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
  description = "The address to which the public DNS name has to point"
  value       = aws_lb.registru.dns_name
}
