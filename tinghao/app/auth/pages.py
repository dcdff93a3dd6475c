"""The pages for coming in and going out: /sign-in, /sign-out, and /device for kiosks and walls."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from litestar import Request, Response, Router, get, post
from litestar.datastructures import FormMultiDict
from litestar.di import NamedDependency

from tinghao.app.auth.caller import Caller
from tinghao.app.auth.gate import Gate, SignedIn, SignInRefusedError, SignInWaitError
from tinghao.app.auth.middleware import TOKEN_ALWAYS
from tinghao.app.auth.passwords import TooManyChecksError
from tinghao.app.auth.visit import csrf_token, visit_of
from tinghao.app.web.languages import language_of
from tinghao.realtime import render
from tinghao.realtime.language import plain_text

WRONG = "The user name or the password is not right."
WRONG_TOKEN = "This token is not valid, or not any more."  # noqa: S105 - a sentence
WAIT = "Too many wrong tries. Wait {seconds} seconds, then try again."
CROWD = "Many people are signing in at this moment. Try again in a few seconds."


@get("/sign-in")
async def sign_in_page(request: Request[Any, Any, Any]) -> Response[Any]:
    """The form; whoever is signed in already goes on."""
    wanted = request.query_params.get("next", "")
    caller = visit_of(request).caller
    if caller.kind == "person":
        return see_other(safe_address(wanted) or home_of(caller))
    return _sign_in_form(request, wanted, "")


@post("/sign-in", opt={TOKEN_ALWAYS: True}, status_code=303)
async def sign_in(request: Request[Any, Any, Any], gate: NamedDependency[Gate]) -> Response[Any]:
    """Check name and password; a new session, or the form again with one sentence."""
    form = await request.form()
    name, wanted = _text(form, "name"), _text(form, "next")
    try:
        signed_in = await gate.sign_in(
            name,
            _text(form, "password"),
            address=request.client.host if request.client else "",
            before=gate.session_secret(request.scope["headers"]),
        )
    except SignInRefusedError:
        return _sign_in_form(request, wanted, name, 401, WRONG)
    except SignInWaitError as wait:
        again = _sign_in_form(request, wanted, name, 429, WAIT, seconds=wait.seconds)
        again.headers["Retry-After"] = str(wait.seconds)
        return again
    except TooManyChecksError:
        return _sign_in_form(request, wanted, name, 503, CROWD)
    return _come_in(request, signed_in, wanted)


@post("/sign-out", status_code=303)
async def sign_out(request: Request[Any, Any, Any], gate: NamedDependency[Gate]) -> Response[Any]:
    """End the session, here and in the database."""
    secret = gate.session_secret(request.scope["headers"])
    if secret is not None:
        await gate.sign_out(secret)
        visit_of(request).end_session()
    return see_other("/sign-in")


@get("/device")
async def device_page(request: Request[Any, Any, Any]) -> Response[Any]:
    """The form into which a device's token is pasted once."""
    return _device_form(request, request.query_params.get("next", ""))


@post("/device", opt={TOKEN_ALWAYS: True}, status_code=303)
async def pair_device(
    request: Request[Any, Any, Any], gate: NamedDependency[Gate]
) -> Response[Any]:
    """From now on this browser is the device that the token was made for."""
    form = await request.form()
    wanted = _text(form, "next")
    try:
        paired = await gate.pair(
            _text(form, "token").strip(),
            before=gate.session_secret(request.scope["headers"]),
        )
    except SignInRefusedError:
        return _device_form(request, wanted, 401, WRONG_TOKEN)
    return _come_in(request, paired, wanted, device=True)


router = Router(
    "/",
    route_handlers=[sign_in_page, sign_in, sign_out, device_page, pair_device],
    include_in_schema=False,
)


_LEFT_ALONE = "/?#[]@!$&'()*+,;=%:~"
"""What an address may contain as it is; a header takes nothing but ASCII."""


def home_of(caller: Caller) -> str:
    """The screen that a person or device comes for."""
    if caller.hall is None:
        return "/"
    screen = {
        "clerk": "console",
        "guide": "kiosk",
        "kiosk": "kiosk",
        "display": "lobby",
        "manager": "manager",
        "inspector": "manager",
        "administrator": "manager",
    }.get(caller.role, "lobby")
    return f"/halls/{caller.hall}/{screen}"


def safe_address(wanted: str) -> str | None:
    """``wanted`` if it is a path on this server, else None: nobody is led to another site."""
    if not wanted.startswith("/") or wanted.startswith(("//", "/\\")) or not wanted.isprintable():
        return None
    return wanted


def see_other(address: str) -> Response[Any]:
    """Go there with GET."""
    return Response(b"", status_code=303, headers={"Location": quote(address, safe=_LEFT_ALONE)})


def _come_in(
    request: Request[Any, Any, Any], signed_in: SignedIn, wanted: str, *, device: bool = False
) -> Response[Any]:
    visit_of(request).begin_session(signed_in.secret, device=device)
    return see_other(safe_address(wanted) or home_of(signed_in.caller))


def _sign_in_form(
    request: Request[Any, Any, Any],
    wanted: str,
    name: str,
    status: int = 200,
    sentence: str = "",
    **params: Any,
) -> Response[Any]:
    return _form(request, "sign_in.html", wanted, status, sentence, params, name=name)


def _device_form(
    request: Request[Any, Any, Any], wanted: str, status: int = 200, sentence: str = ""
) -> Response[Any]:
    return _form(request, "device.html", wanted, status, sentence, {})


def _form(
    request: Request[Any, Any, Any],
    template: str,
    wanted: str,
    status: int,
    sentence: str,
    params: dict[str, Any],
    **context: Any,
) -> Response[Any]:
    language = language_of(request.scope)
    page = render.environment(language).get_template(template)
    content = page.render(
        csrf_token=csrf_token(request),
        error=plain_text(language, sentence).format(**params) if sentence else "",
        next=safe_address(wanted) or "",
        **context,
    )
    return Response(content, status_code=status, media_type="text/html")


def _text(form: FormMultiDict, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""
