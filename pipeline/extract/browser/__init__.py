"""Chrome under Selenium: starting it, lending it, its tabs, its network log."""
