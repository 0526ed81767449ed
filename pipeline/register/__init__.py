"""The register: lists of companies (the site's own, or the bulk file), page by page, into what is tracked."""
