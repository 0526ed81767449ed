"""The origin of the pages: the same HTML shell for any path; in special cases a challenge, an error or a redirect."""

import hashlib
import json
from dataclasses import asdict
from http import HTTPStatus
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from standin.answers import answers_for
from standin.options import Lang, Layout, SiteOptions
from standin.request_log import LogRequests, RequestLog, SiteOrigin, document_idno
from standin.robots_txt import robots
from standin.site_cases import CaseName
from standin.site_faults import case_at, is_half_rendered
from standin.switches import Switches

STATIC = Path(__file__).parent / "static"
LATE_FACTS_MS = 400
NEVER_MS = 24 * 60 * 60 * 1000
VARIANTS = 8

# Pages in every language have lang="en", as in the HTML shells that web frameworks generate.
SHELL = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><title>Bani la vedere</title><base href="/">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="/favicon.ico"><link rel="stylesheet" href="/static/style.css">
</head>
<body>
<app-root></app-root>
<script>window.site = %s; document.currentScript.remove();</script>
<script src="/static/app.js" type="module"></script>
</body>
</html>
"""
CHALLENGE = """<!doctype html>
<html lang="en-US"><head><title>Just a moment...</title><meta name="robots" content="noindex,nofollow"></head>
<body><div><h1>Verifying you are human</h1><p>This may take a few seconds.</p>
<noscript>Enable JavaScript and cookies to continue</noscript></div></body></html>
"""
PLAIN_ERROR = "<!doctype html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"
FAVICON = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><circle cx="4" cy="4" r="4"/></svg>'


def page_app(
    *, log: RequestLog, options: SiteOptions, switches: Switches, api_url: str, build: str
) -> Starlette:
    """Return the origin of the pages as an ASGI app.

    Args:
        log: Records each request.
        options: What the site's pages look like and which faults they have.
        switches: Behavior that a test changes while the site runs.
        api_url: The origin from which the pages fetch their JSON.
        build: Changes the names of all CSS classes, as a new build of the site does.
    """
    app = Starlette(
        routes=[
            Route("/robots.txt", robots),
            Route("/favicon.ico", _favicon),
            Route("/__requests", _requests),
            Mount("/static", StaticFiles(directory=STATIC)),
            Route("/{path:path}", _document),
        ],
        middleware=[Middleware(LogRequests, log=log, origin=SiteOrigin.PAGE)],
    )
    app.state.log, app.state.options, app.state.switches = log, options, switches
    app.state.api_url, app.state.build = api_url, build
    return app


async def _favicon(_: Request) -> Response:
    return Response(FAVICON, media_type="image/svg+xml")


async def _requests(request: Request) -> Response:
    log: RequestLog = request.app.state.log
    rows = [{**asdict(entry), "time": entry.time.isoformat()} for entry in log.snapshot()]
    return JSONResponse(rows)


async def _document(request: Request) -> Response:
    """Return the shell, or the response that the switches or a special case demand instead."""
    switches: Switches = request.app.state.switches
    options: SiteOptions = request.app.state.options
    if switches.challenging:
        return _challenge()
    if switches.rate_limit_seconds is not None:
        return _retry_later(429, after_seconds=switches.rate_limit_seconds)
    idno = document_idno(request.url.path)
    match _case(request, idno) if idno else None:
        case CaseName.CHALLENGE:
            return _challenge()
        case CaseName.DOCUMENT_503:
            return _retry_later(503, after_seconds=options.retry_after_seconds)
        case CaseName.RATE_LIMITED:
            return _retry_later(429, after_seconds=options.retry_after_seconds)
        case CaseName.REDIRECT if request.url.path.startswith("/companies/"):
            return RedirectResponse(_romanian_url(request), 302)
        case CaseName.FLAKY if idno and _still_fails(request, idno):
            return HTMLResponse(PLAIN_ERROR.format("500 Internal Server Error"), 500)
    return HTMLResponse(_shell(request, idno))


def _challenge() -> Response:
    return HTMLResponse(CHALLENGE, 403, headers={"cf-mitigated": "challenge", "Server": "cloudflare"})


def _retry_later(status: int, *, after_seconds: int) -> Response:
    text = PLAIN_ERROR.format(f"{status} {HTTPStatus(status).phrase}")
    return HTMLResponse(text, status, headers={"Retry-After": str(after_seconds)})


def _case(request: Request, idno: str) -> CaseName | None:
    options: SiteOptions = request.app.state.options
    return case_at(idno, _visit(request, idno), faults=options.faults)


def _visit(request: Request, idno: str) -> int:
    """Return the number of this visit, counted from 1. It includes the current request, which is already logged."""
    log: RequestLog = request.app.state.log
    return log.total_visits(idno)


def _romanian_url(request: Request) -> str:
    query = f"?{request.url.query}" if request.url.query else ""
    return f"/ro{request.url.path}{query}"


def _still_fails(request: Request, idno: str) -> bool:
    options: SiteOptions = request.app.state.options
    return _visit(request, idno) <= options.flaky_failures


def _shell(request: Request, idno: str | None) -> str:
    options: SiteOptions = request.app.state.options
    subject = idno or request.url.path
    answers = (
        answers_for(idno, visit=_visit(request, idno), faults=options.faults)
        if idno and options.embedded
        else {}
    )
    settings = {
        "apiUrl": None if options.embedded else request.app.state.api_url,
        "answers": {path: asdict(answer) for path, answer in answers.items()},
        "build": request.app.state.build,
        "idno": idno,
        "layout": _layout(request, subject),
        "lang": _lang(request, subject),
        "variant": _variant(request, subject),
        "factsAfterMs": _facts_after_ms(request, idno) if idno else 0,
    }
    # "<" is escaped, because a "</script>" in a company's name would end the script.
    return SHELL % json.dumps(settings, ensure_ascii=False).replace("<", "\\u003c")


def _facts_after_ms(request: Request, idno: str) -> int:
    options: SiteOptions = request.app.state.options
    if is_half_rendered(idno, faults=options.faults):
        return NEVER_MS
    return LATE_FACTS_MS if _case(request, idno) is CaseName.LATE_FACTS else 0


def look_of(subject: str) -> tuple[Layout, Lang]:
    """Return the layout and the language that a company's page has unless the request or the site's options differ."""
    layouts, languages = list(Layout), list(Lang)
    return (
        layouts[_number("layout", subject) % len(layouts)],
        languages[_number("lang", subject) % len(languages)],
    )


def _layout(request: Request, subject: str) -> Layout:
    """Return the layout from the query, else from the site's options, else one selected by `subject`."""
    options: SiteOptions = request.app.state.options
    asked = request.query_params.get("layout")
    chosen = Layout(asked) if asked in list(Layout) else options.layout
    return chosen or look_of(subject)[0]


def _lang(request: Request, subject: str) -> Lang:
    """Return the language from the query, else the path, else the site's options, else one selected by `subject`."""
    options: SiteOptions = request.app.state.options
    for asked in (request.query_params.get("lang"), request.url.path.split("/")[1]):
        if asked in list(Lang):
            return Lang(asked)
    return options.lang or look_of(subject)[1]


def _variant(request: Request, subject: str) -> int:
    """Return the page's variant, three bits: dates in words, full legal forms, the second set of labels."""
    asked = request.query_params.get("variant", "")
    number = int(asked) if asked.isdecimal() else _number("variant", subject)
    return number % VARIANTS


def _number(topic: str, subject: str) -> int:
    return int(hashlib.sha256(f"{topic}:{subject}".encode()).hexdigest()[:8], 16)
