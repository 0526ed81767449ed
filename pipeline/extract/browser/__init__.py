"""Chrome under Selenium: its start, the browser lender, its tabs and its network log."""
