"""Applies, watches and deletes objects over gRPC. See README.md for how to run it."""

import json
import pathlib
import sys

import grpc
from grpc_status import rpc_status
from kubernetes import status_pb2
from periplus.api.v1 import resources_pb2 as api
from periplus.api.v1 import resources_pb2_grpc

NAMESPACE = "from-python"
COLORS = {"one": "red", "two": "blue", "three": "red"}
TIMEOUT_SECONDS = 30


def connect(address, folder):
    """A client that shows the administrator's certificate."""
    read = lambda name: (pathlib.Path(folder).expanduser() / name).read_bytes()
    credentials = grpc.ssl_channel_credentials(read("ca.crt"), read("admin.key"), read("admin.crt"))
    return resources_pb2_grpc.ResourcesStub(grpc.secure_channel(address, credentials))


def config_map(name, color, **data):
    metadata = {"name": name, "namespace": NAMESPACE, "labels": {"color": color}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def apply_all(resources, objects, manager):
    """All of them at one revision, or none."""
    request = api.ApplyAllRequest(objects=[json.dumps(one).encode() for one in objects], field_manager=manager)
    return resources.ApplyAll(request, timeout=TIMEOUT_SECONDS)


def ref(name=""):
    return api.ResourceRef(version="v1", resource="configmaps", namespace=NAMESPACE, name=name)


def watch_red(resources, version):
    """What happens to red ones behind a version."""
    request = api.WatchRequest(ref=ref(), label_selector="color=red", resource_version=version)
    for event in resources.Watch(request, timeout=TIMEOUT_SECONDS):
        yield event.type, json.loads(event.object.json)["metadata"]["name"]


def kubernetes_status(error):
    """The Kubernetes Status in the details of a failed call."""
    status = status_pb2.Status()
    for detail in rpc_status.from_call(error).details:
        if detail.Unpack(status):
            return status
    return None


def main(address, folder):
    resources = connect(address, folder)
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    maps = [config_map(name, color, n="1") for name, color in COLORS.items()]
    applied = apply_all(resources, [namespace, *maps], "sample")
    revisions = {int(one.resource_version) // 256 for one in applied.objects}
    print(f"applied {len(applied.objects)} objects at {len(revisions)} revision")

    red = resources.List(api.ListRequest(ref=ref(), label_selector="color=red"), timeout=TIMEOUT_SECONDS)
    print("red:", ", ".join(sorted(json.loads(one.json)["metadata"]["name"] for one in red.items)))

    events = watch_red(resources, red.resource_version)
    apply_all(resources, [config_map("one", "red", n="2"), config_map("two", "red", n="2")], "sample")
    print("seen:", *sorted(f"{kind} {name}" for kind, name in (next(events), next(events))), sep="\n  ")
    events.close()

    try:
        apply_all(resources, [config_map("three", "red", n="3"), config_map("one", "red", n="3")], "somebody-else")
    except grpc.RpcError as error:
        status = kubernetes_status(error)
        fields = [cause.field for cause in status.details.causes]
        print(f"refused: {error.code().name}, {status.reason} {status.code} of {status.details.name}: {fields}")

    names = api.ResourceRef(version="v1", resource="namespaces", name=NAMESPACE)
    resources.Delete(api.Command(ref=names, delete=api.DeleteAction()), timeout=TIMEOUT_SECONDS)
    print("deleted", NAMESPACE)


if __name__ == "__main__":
    main(*sys.argv[1:])
