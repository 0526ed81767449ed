variable "region" {
  type        = string
  description = "AWS region, such as eu-central-1"
}

variable "vpc_id" {
  type        = string
  description = "The network that all of this is in"
}

variable "public_subnets" {
  type        = list(string)
  description = "Two subnets with a way in from the internet, for the load balancer alone"
}

variable "private_subnets" {
  type        = list(string)
  description = "Two subnets with a way out by NAT, for everything else"
}

variable "certificate_arn" {
  type        = string
  description = "The certificate (ACM) of the public name"
}

variable "image_tag" {
  type        = string
  description = "Tag of the images in ECR; never moved, so that a task is what it was when it was tried"
}

variable "site_rate" {
  type        = number
  default     = 1
  description = "Visits a second to the site over all runs"
}

variable "api_replicas" {
  type        = number
  default     = 2
  description = "Tasks that serve the API"
}

variable "database_class" {
  type        = string
  default     = "db.t4g.medium"
  description = "RDS instance class; docs/scaling.md says which for how many companies"
}

variable "database_gigabytes" {
  type        = number
  default     = 50
  description = "Storage to begin with; it grows by itself up to four times that"
}

variable "state_class" {
  type        = string
  default     = "cache.t4g.small"
  description = "ElastiCache node type of what must not be lost: sessions, limits, turns at the site"
}

variable "cache_class" {
  type        = string
  default     = "cache.t4g.small"
  description = "ElastiCache node type of the cache: about 2.4 kB a record; docs/scaling.md says which for how many companies"
}
