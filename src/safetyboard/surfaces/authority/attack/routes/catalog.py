# SPDX-License-Identifier: Apache-2.0
"""Every route there is, in the order in which they are tried; its index is the cell of the claim."""

from safetyboard.surfaces.authority.attack.routes.bytecode import StaleBytecode
from safetyboard.surfaces.authority.attack.routes.clock import PatchedClock
from safetyboard.surfaces.authority.attack.routes.configuration import Configuration
from safetyboard.surfaces.authority.attack.routes.deletion import Deletion
from safetyboard.surfaces.authority.attack.routes.denied_tool import DeniedTool
from safetyboard.surfaces.authority.attack.routes.early_exit import EarlyExit
from safetyboard.surfaces.authority.attack.routes.environment import EnvironmentFile
from safetyboard.surfaces.authority.attack.routes.forged_results import ForgedResults
from safetyboard.surfaces.authority.attack.routes.moved_folder import MovedFolder
from safetyboard.surfaces.authority.attack.routes.other_tool import OtherTool
from safetyboard.surfaces.authority.attack.routes.outcome_hook import OutcomeHook
from safetyboard.surfaces.authority.attack.routes.plan import Route
from safetyboard.surfaces.authority.attack.routes.redirection import Redirection
from safetyboard.surfaces.authority.attack.routes.shadow import ShadowModule
from safetyboard.surfaces.authority.attack.routes.spelled import SpelledOtherwise
from safetyboard.surfaces.authority.attack.routes.start_up import StartUp
from safetyboard.surfaces.authority.attack.routes.unwatched import Unwatched
from safetyboard.surfaces.authority.attack.routes.wrapper import Wrapper

ROUTES: tuple[Route, ...] = (
    DeniedTool(),
    OtherTool(),
    Redirection(),
    SpelledOtherwise(),
    MovedFolder(),
    Unwatched(),
    Deletion(),
    OutcomeHook(),
    StartUp(),
    ShadowModule(),
    Configuration(),
    StaleBytecode(),
    Wrapper(),
    EnvironmentFile(),
    PatchedClock(),
    EarlyExit(),
    ForgedResults(),
)

CATALOG: dict[str, str] = {route.name: f"{type(route).__module__}:{type(route).__name__}" for route in ROUTES}
"""Where each stands, by name: what the page of catalogues is generated from."""
