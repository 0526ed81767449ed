"""The API's documentation page: Swagger UI. Its files come from this API, so the page needs no other host."""

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse, Response

from api.auth.dependencies import UNLIMITED, needs
from api.routing import Router

DOCS = "/docs"
_FILES = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
_CACHED_FOR_A_DAY = "public, max-age=86400"


def install(app: FastAPI) -> None:
    """Serve the documentation of `app` at /docs."""
    router = Router(include_in_schema=False)
    page = _page(app)

    @router.get(DOCS)
    @needs(UNLIMITED)
    async def show() -> Response:
        """Return the documentation page."""
        return page

    for name, media_type in _FILES.items():
        _serve(router, name, media_type)
    app.include_router(router)


def _serve(router: Router, name: str, media_type: str) -> None:
    content = files("fastapi_offline").joinpath("static", name).read_bytes()

    @router.get(f"{DOCS}/{name}")
    @needs(UNLIMITED)
    async def send() -> Response:
        """Return one of Swagger UI's files."""
        return Response(content, media_type=media_type, headers={"Cache-Control": _CACHED_FOR_A_DAY})


def _page(app: FastAPI) -> HTMLResponse:
    script, style = (f"{DOCS}/{name}" for name in _FILES)
    page = get_swagger_ui_html(
        openapi_url=app.openapi_url or "",
        title=f"{app.title}: API",
        swagger_js_url=script,
        swagger_css_url=style,
        swagger_favicon_url="data:,",
        swagger_ui_parameters={
            "validatorUrl": None
        },  # otherwise the page may send the document to another site
    )
    page.headers["Content-Security-Policy"] = _policy(bytes(page.body).decode())
    return page


def _policy(html: str) -> str:
    """Return the Content-Security-Policy: run only our scripts, connect only to this site, never be framed."""
    own = html.rpartition("<script>")[2].partition("</script>")[0]
    digest = b64encode(sha256(own.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'self' 'sha256-{digest}'; style-src 'self' 'unsafe-inline';"
        " img-src 'self' data:; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
    )
