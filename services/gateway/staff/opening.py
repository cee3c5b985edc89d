"""What the gateway's application takes in for staff: addresses, the look at a session at the door, and a provider of its own in a demo."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import httpx
from fastapi import APIRouter
from starlette.types import ASGIApp

from services.gateway.auth import SigningKeys
from services.gateway.limits import RateLimit
from services.gateway.proxies import TrustedProxies
from services.gateway.settings import Settings
from services.gateway.staff.cookies import Origin
from services.gateway.staff.issuers import Issuers
from services.gateway.staff.presence import Presence
from services.gateway.staff.provider import Provider, open_session
from services.gateway.staff.routes import CALLBACK, staff_routes
from services.gateway.staff.sessions import Lifetimes
from services.gateway.staff.signing_in import SigningIn
from shared.db import Database
from shared.http.auth import TokenVerifier

DEMO_ISSUER_PATH: Final = "/demo-issuer"


@dataclass(frozen=True, slots=True)
class DemoIssuer:
    """The provider of a demo: itself an application, served below `DEMO_ISSUER_PATH`, and what is believed of it."""

    app: ASGIApp
    issuers: Issuers


@dataclass(frozen=True, slots=True)
class Staff:
    """The parts of the gateway that staff need."""

    routes: APIRouter
    presence: Presence
    session: httpx.AsyncClient


def open_staff(
    settings: Settings,
    database: Callable[[], Database],
    keys: SigningKeys,
    verifier: TokenVerifier,
    failures: RateLimit,
    *,
    proxies: TrustedProxies | None = None,
    demo: DemoIssuer | None = None,
) -> Staff:
    """Make those parts; nothing is asked of any provider yet. `Staff.session` is for the application to close.

    Raises:
        ValueError: A provider of a demo outside a demo, or the operator's file is not as described.
    """
    if demo is not None and settings.environment != "demo":
        raise ValueError("the demo's issuer lets anybody in as anybody; it runs in a demo only")
    issuers = Issuers.load(settings.staff_issuers_file) if settings.staff_issuers_file is not None else None
    if issuers is None and demo is not None:
        issuers = demo.issuers
    origin = Origin(settings.public_url)
    lifetimes = Lifetimes(timedelta(minutes=settings.session_idle_minutes), timedelta(hours=settings.session_hours))
    session = open_session()
    redirect = f"{settings.public_url}{CALLBACK}"
    providers = {
        one.key: Provider(one, redirect, session, loopback=settings.environment == "demo") for one in (issuers.issuer if issuers else ())
    }
    presence = Presence(database, keys, verifier, origin=origin, lifetimes=lifetimes, failures=failures, proxies=proxies)
    signing_in = SigningIn(issuers, providers, lifetimes, presence)
    routes = staff_routes(signing_in, keys, origin, demo=settings.environment == "demo")
    return Staff(routes, presence, session)
