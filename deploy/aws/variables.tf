variable "region" {
  type        = string
  description = "AWS region, such as eu-central-1"
}

variable "vpc_id" {
  type        = string
  description = "The VPC of all resources"
}

variable "public_subnets" {
  type        = list(string)
  description = "Two subnets that are reachable from the internet, for the load balancer only"
}

variable "private_subnets" {
  type        = list(string)
  description = "Two subnets with outgoing access through NAT, for everything else"
}

variable "certificate_arn" {
  type        = string
  description = "ARN of the ACM certificate for the public DNS name"
}

variable "image_tag" {
  type        = string
  description = "Tag of the images in ECR. Tags are immutable, so a task always runs the tested image"
}

variable "site_rate" {
  type        = number
  default     = 1
  description = "The maximum visits to the site per second, over all runs"
}

variable "api_replicas" {
  type        = number
  default     = 2
  description = "Number of tasks that serve the API"
}

variable "database_class" {
  type        = string
  default     = "db.t4g.medium"
  description = "RDS instance class; docs/scaling.md recommends one by number of companies"
}

variable "database_gigabytes" {
  type        = number
  default     = 50
  description = "Initial storage in GB; it grows automatically up to four times that size"
}

variable "state_class" {
  type        = string
  default     = "cache.t4g.small"
  description = "ElastiCache node type of the state, which must not be lost: sessions, rate limits, turns at the site"
}

variable "cache_class" {
  type        = string
  default     = "cache.t4g.small"
  description = "ElastiCache node type of the cache, with about 2.4 kB for each record; see docs/scaling.md"
}
