"""OpenID Connect identity providers: kept for the stacks that make and name them. Nobody's tokens are checked here."""

import re
from collections.abc import Sequence

from longshore.api.iam.lookup import Answer, checked_tags, global_scope, no_such, tags_member
from longshore.api.operation import Call, Operation
from longshore.domain.iam import IdentityProvider, provider_arn
from longshore.wire.errors import ApiError

URL = re.compile(r"https://([^/?#\s]+(?:/[^?#\s]*)?)")
THUMBPRINT = re.compile(r"[0-9A-Fa-f]{40}")
PROVIDERS_MOST, CLIENTS_MOST, THUMBPRINTS_MOST = 100, 100, 5
NO_TOKENS = "Tokens of providers are not checked, so no role is assumed with one (AssumeRoleWithWebIdentity)."


def create_provider(call: Call) -> Answer:
    """CreateOpenIDConnectProvider. AWS looks up a thumbprint where none is given; here there is none then."""
    params = call.params
    matched = URL.fullmatch(params["Url"])
    if matched is None:
        raise ApiError("ValidationError", "Invalid Open ID Connect Provider URL: write https://HOST/PATH, no query.")
    place, url = global_scope(call), matched[1]
    if call.tx.get(IdentityProvider, (*place, url)) is not None:
        raise ApiError("EntityAlreadyExists", f"Provider with url {params['Url']} already exists.")
    if call.tx.count(IdentityProvider, "scope", place) >= PROVIDERS_MOST:
        text = f"Cannot exceed quota for OpenIdConnectProvidersPerAccount: {PROVIDERS_MOST}"
        raise ApiError("LimitExceeded", text)
    provider = IdentityProvider(
        account=place.account,
        region=place.region,
        url=url,
        client_ids=_checked_clients(params.get("ClientIDList") or ()),
        thumbprints=_checked_thumbprints(params.get("ThumbprintList") or ()),
        created_at=call.now,
        tags=checked_tags(params.get("Tags")),
    )
    call.tx.put(provider)
    return {"OpenIDConnectProviderArn": provider.arn, **tags_member(provider.tags)}


def get_provider(call: Call) -> Answer:
    """GetOpenIDConnectProvider."""
    provider = find_provider(call)
    return {
        "Url": provider.url,
        "ClientIDList": list(provider.client_ids),
        "ThumbprintList": list(provider.thumbprints),
        "CreateDate": provider.created_at,
        **tags_member(provider.tags),
    }


def list_providers(call: Call) -> Answer:
    """ListOpenIDConnectProviders."""
    found = call.tx.select(IdentityProvider, "scope", global_scope(call))
    return {"OpenIDConnectProviderList": [{"Arn": arn} for arn in sorted(each.arn for each in found)]}


def delete_provider(call: Call) -> Answer:
    """DeleteOpenIDConnectProvider; one that is not there is no error."""
    provider = _named(call)
    if provider is not None:
        call.tx.delete(IdentityProvider, provider.key)
    return {}


def update_thumbprint(call: Call) -> Answer:
    """UpdateOpenIDConnectProviderThumbprint: all of them anew."""
    provider = find_provider(call)
    call.tx.put(provider.but(thumbprints=_checked_thumbprints(call.params["ThumbprintList"])))
    return {}


def add_client_id(call: Call) -> Answer:
    """AddClientIDToOpenIDConnectProvider; again changes nothing."""
    provider = find_provider(call)
    call.tx.put(provider.but(client_ids=_checked_clients((*provider.client_ids, call.params["ClientID"]))))
    return {}


def remove_client_id(call: Call) -> Answer:
    """RemoveClientIDFromOpenIDConnectProvider; one that is not there is no error."""
    provider, gone = find_provider(call), call.params["ClientID"]
    call.tx.put(provider.but(client_ids=tuple(each for each in provider.client_ids if each != gone)))
    return {}


def find_provider(call: Call) -> IdentityProvider:
    """The provider of the ARN in a call. Raises NoSuchEntity."""
    provider = _named(call)
    if provider is None:
        raise no_such(f"OpenIDConnect Provider not found for arn {call.params['OpenIDConnectProviderArn']}")
    return provider


def _named(call: Call) -> IdentityProvider | None:
    arn, place = call.params["OpenIDConnectProviderArn"], global_scope(call)
    url = arn.removeprefix(provider_arn(place.account, ""))
    return call.tx.get(IdentityProvider, (*place, url)) if url != arn else None


def _checked_clients(given: Sequence[str]) -> tuple[str, ...]:
    clients = tuple(dict.fromkeys(given))
    if len(clients) > CLIENTS_MOST:
        raise ApiError("LimitExceeded", f"Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: {CLIENTS_MOST}")
    return clients


def _checked_thumbprints(given: Sequence[str]) -> tuple[str, ...]:
    if len(given) > THUMBPRINTS_MOST:
        raise ApiError("InvalidInput", f"ThumbprintList must contain at most {THUMBPRINTS_MOST} entries.")
    for each in given:
        if not THUMBPRINT.fullmatch(each):
            raise ApiError("InvalidInput", f"Invalid thumbprint {each[:64]}: it is a SHA-1 of 40 hexadecimal digits.")
    return tuple(given)


OPERATIONS: dict[str, Operation] = {
    "AddClientIDToOpenIDConnectProvider": Operation(add_client_id, inert={"ClientID": NO_TOKENS}),
    "CreateOpenIDConnectProvider": Operation(
        create_provider, inert=dict.fromkeys(("ClientIDList", "ThumbprintList"), NO_TOKENS)
    ),
    "DeleteOpenIDConnectProvider": Operation(delete_provider),
    "GetOpenIDConnectProvider": Operation(get_provider),
    "ListOpenIDConnectProviders": Operation(list_providers),
    "RemoveClientIDFromOpenIDConnectProvider": Operation(remove_client_id),
    "UpdateOpenIDConnectProviderThumbprint": Operation(update_thumbprint, inert={"ThumbprintList": NO_TOKENS}),
}
