"""What a program with Kubernetes' Python client does, against the cluster of a kubeconfig. Prints what it saw as JSON."""

import json
import sys
import threading

from kubernetes import client, config, dynamic, watch
from kubernetes.client.rest import ApiException

NAMESPACE = "default"
WATCH_SECONDS_MAX = 60


def config_map(name, **data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": {"of": "python"}}, "data": data}


def refusal(call):
    try:
        call()
    except ApiException as error:
        status = json.loads(error.body)
        return [error.status, status["reason"]]
    return None


def events_of(core, version, names, ready):
    """Until the last of `names` is deleted."""
    seen = []
    stream = watch.Watch()
    arguments = {"namespace": NAMESPACE, "label_selector": "of=python", "resource_version": version}
    ready.set()
    for event in stream.stream(core.list_namespaced_config_map, timeout_seconds=WATCH_SECONDS_MAX, **arguments):
        seen.append(f"{event['type']} {event['object'].metadata.name}")
        if seen[-1] == f"DELETED {names[-1]}":
            stream.stop()
    return seen


def main(kubeconfig):
    config.load_kube_config(kubeconfig)
    core = client.CoreV1Api()
    apps = client.AppsV1Api()
    saw = {}

    template = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"selector": {"matchLabels": {"app": "a"}}, "template": template}
    made = apps.create_namespaced_deployment(NAMESPACE, {"metadata": {"name": "python"}, "spec": spec})
    saw["created"] = [made.spec.replicas, made.spec.strategy.rolling_update.max_surge]
    apps.patch_namespaced_deployment_scale("python", NAMESPACE, {"spec": {"replicas": 3}})
    saw["scaled"] = apps.read_namespaced_deployment("python", NAMESPACE).spec.replicas

    for i in range(5):
        core.create_namespaced_config_map(NAMESPACE, config_map(f"list-{i}", a=str(i)))
    listed, more = [], None
    while more != "":
        page = core.list_namespaced_config_map(NAMESPACE, label_selector="of=python", limit=2, _continue=more)
        listed += [item.metadata.name for item in page.items]
        more = page.metadata._continue or ""
    saw["listed"] = listed

    names = ["watched-0", "watched-1"]
    version = page.metadata.resource_version
    ready, seen = threading.Event(), []
    watcher = threading.Thread(target=lambda: seen.extend(events_of(core, version, names, ready)))
    watcher.start()
    ready.wait()
    for name in names:
        core.create_namespaced_config_map(NAMESPACE, config_map(name))
        core.delete_namespaced_config_map(name, NAMESPACE)
    watcher.join()
    saw["events"] = seen

    saw["refused"] = {
        "missing": refusal(lambda: core.read_namespaced_config_map("none", NAMESPACE)),
        "twice": refusal(lambda: core.create_namespaced_config_map(NAMESPACE, config_map("list-0"))),
        "invalid": refusal(lambda: core.create_namespaced_config_map(NAMESPACE, config_map("No_Name"))),
    }

    maps = dynamic.DynamicClient(client.ApiClient()).resources.get(api_version="v1", kind="ConfigMap")
    applied = maps.server_side_apply(
        namespace=NAMESPACE, name="applied", body=config_map("applied", a="1"), field_manager="python"
    )
    saw["applied"] = [entry.operation for entry in applied.metadata.managedFields]
    saw["version"] = client.VersionApi().get_code().git_version.split(".")[:2]
    print(json.dumps(saw))


main(sys.argv[1])
