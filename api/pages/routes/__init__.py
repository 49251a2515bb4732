"""The routes of the pages, one module a page. `api.pages.all_routes` lists them."""
