"""A provider that runs in this process: Terraform is told of it by `TF_REATTACH_PROVIDERS` and needs no `init` for it.

It takes every configuration that the schema allows. Nothing is looked up or created: what a data source or a resource
would tell is made up from the names of its attributes, but for `tags_all`, which holds the provider's `default_tags`. A
resource is replaced where `replacing` says so.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import msgpack
from tf.gen import tfplugin_pb2 as pb

from stand_in.schema import NESTINGS, replacing

UNKNOWN = msgpack.ExtType(0, b"\0")
SAME = {"aws_region": {"name": "region"}}
"""Attributes of data sources that tell what another one tells, by `internal/service/meta` of the provider."""
Make = Callable[[Any, str], Any]


def _pack(value: Any) -> pb.DynamicValue:
    return pb.DynamicValue(msgpack=msgpack.packb(value, use_bin_type=True))


def _unpack(value: pb.DynamicValue) -> Any:
    return msgpack.unpackb(value.msgpack, raw=False, strict_map_key=False) if value.msgpack else None


def _fill(block: pb.Schema.Block, values: dict[str, Any], make: Make) -> None:
    """Give each computed attribute without a value the one that is made of its type and name."""
    for one in block.attributes:
        if one.computed and (values.get(one.name) is None or values[one.name] == UNKNOWN):
            values[one.name] = make(json.loads(one.type), one.name)
    for inner in block.block_types:
        nested = values.get(inner.type_name)
        several = (
            nested if isinstance(nested, list) else nested.values() if inner.nesting == NESTINGS["map"] else [nested]
        )
        for each in several:
            if isinstance(each, dict):
                _fill(inner.block, each, make)


def _made_up(kind: Any, name: str) -> Any:
    """A value of a type, the same for the same name."""
    if isinstance(kind, str):
        return {"bool": False, "number": 1, "dynamic": [b'"string"', name]}.get(kind, f"made-up-{name}")
    if kind[0] == "object":
        return {key: _made_up(inner, key) for key, inner in kind[1].items()}
    return {} if kind[0] == "map" else [_made_up(kind[1], name)]


class Provider(grpc.GenericRpcHandler):
    """Plugin protocol 6. What is not among its methods gets an empty answer: no diagnostics."""

    def __init__(self, schema: pb.GetProviderSchema.Response) -> None:
        """Have the types of a schema."""
        self.schema = schema
        self.told = schema.SerializeToString()
        self.tags: dict[str, Any] = {}
        """The default tags of each configuration of the provider, by the connection that Terraform has for it."""
        self.methods: dict[str, tuple[Any, Callable[[Any, str], Any]]] = {
            "ConfigureProvider": (pb.ConfigureProvider, self.configure),
            "PlanResourceChange": (pb.PlanResourceChange, self.plan),
            "ApplyResourceChange": (pb.ApplyResourceChange, self.apply),
            "UpgradeResourceState": (pb.UpgradeResourceState, self.upgrade),
            "ReadDataSource": (pb.ReadDataSource, self.read),
            "ImportResourceState": (pb.ImportResourceState, self.bring_in),
            "ReadResource": (pb.ReadResource, self.refresh),
        }

    def configure(self, request: Any, peer: str) -> Any:
        """Nothing, but the default tags are kept."""
        blocks = (_unpack(request.config) or {}).get("default_tags") or []
        self.tags[peer] = blocks[0]["tags"] or {} if blocks else {}
        return pb.ConfigureProvider.Response()

    def plan(self, request: Any, peer: str) -> Any:
        """What is asked for, and the rest unknown; also which of it can't be had without a replacement."""
        prior, proposed = _unpack(request.prior_state), _unpack(request.proposed_new_state)
        if proposed is None:
            return pb.PlanResourceChange.Response(planned_state=_pack(None))
        if "tags_all" in proposed:
            known, own = self.tags.get(peer, {}), proposed.get("tags") or {}
            proposed["tags_all"] = known | own if isinstance(known, dict) and isinstance(own, dict) else UNKNOWN
        _fill(self.schema.resource_schemas[request.type_name].block, proposed, lambda kind, name: UNKNOWN)
        fixed = [name for name in replacing(request.type_name) if prior and prior.get(name) != proposed.get(name)]
        return pb.PlanResourceChange.Response(
            planned_state=_pack(proposed),
            requires_replace=[pb.AttributePath(steps=[{"attribute_name": name}]) for name in fixed],
            legacy_type_system=True,
        )

    def apply(self, request: Any, peer: str) -> Any:
        """What was planned, and the rest made up."""
        planned = _unpack(request.planned_state)
        if planned is not None:
            _fill(self.schema.resource_schemas[request.type_name].block, planned, _made_up)
        return pb.ApplyResourceChange.Response(new_state=_pack(planned), legacy_type_system=True)

    def upgrade(self, request: Any, peer: str) -> Any:
        """What the state file has."""
        return pb.UpgradeResourceState.Response(upgraded_state=_pack(json.loads(request.raw_state.json)))

    def bring_in(self, request: Any, peer: str) -> Any:
        """A resource of that id of which nothing else is known."""
        block = self.schema.resource_schemas[request.type_name].block
        state: dict[str, Any] = {one.name: None for one in block.attributes} | {"id": request.id}
        state |= {one.type_name: [] for one in block.block_types if one.nesting != NESTINGS["single"]}
        state |= {one.type_name: None for one in block.block_types if one.nesting == NESTINGS["single"]}
        brought = pb.ImportResourceState.ImportedResource(type_name=request.type_name, state=_pack(state))
        return pb.ImportResourceState.Response(imported_resources=[brought])

    def refresh(self, request: Any, peer: str) -> Any:
        """What the state has, and the rest made up."""
        state = _unpack(request.current_state)
        if state is not None:
            _fill(self.schema.resource_schemas[request.type_name].block, state, _made_up)
            if "bucket" in state and state["bucket"] is None:
                state["bucket"] = state["id"].partition(",")[0]
        return pb.ReadResource.Response(new_state=_pack(state))

    def read(self, request: Any, peer: str) -> Any:
        """What is asked for, and the rest made up."""
        values = _unpack(request.config)
        _fill(self.schema.data_source_schemas[request.type_name].block, values, _made_up)
        for name, same in SAME.get(request.type_name, {}).items():
            if same in values:
                said = _unpack(request.config)
                values[name] = values[same] = said[name] or said[same] or f"made-up-{same}"
        return pb.ReadDataSource.Response(state=_pack(values))

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        """The handler of a method."""
        name = details.method.rpartition("/")[2]
        message, answer = self.methods.get(name, (None, None))
        if message is None or answer is None:
            told = self.told if name == "GetProviderSchema" else b""
            return grpc.unary_unary_rpc_method_handler(lambda request, context: told)
        return grpc.unary_unary_rpc_method_handler(
            lambda request, context: answer(request, context.peer()),
            message.Request.FromString,
            message.Response.SerializeToString,
        )


@contextmanager
def serving(**schemas: pb.GetProviderSchema.Response) -> Iterator[str]:
    """Serve HashiCorp's providers of these names; the value of TF_REATTACH_PROVIDERS."""
    told, servers = {}, []
    for name, schema in schemas.items():
        server = grpc.server(ThreadPoolExecutor(max_workers=8), handlers=[Provider(schema)])
        port = server.add_insecure_port("127.0.0.1:0")  # unlike a socket's file, it tells connections apart
        server.start()
        servers.append(server)
        told[f"registry.terraform.io/hashicorp/{name}"] = _told(f"127.0.0.1:{port}")
    try:
        yield json.dumps(told)
    finally:
        for server in servers:
            server.stop(None).wait()


def _told(place: str) -> dict[str, Any]:
    address = {"Network": "tcp", "String": place}
    return {"Protocol": "grpc", "ProtocolVersion": 6, "Pid": os.getpid(), "Test": True, "Addr": address}
