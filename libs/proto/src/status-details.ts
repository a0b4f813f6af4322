import { google, k8s } from '../generated/errors.js';

const KubernetesStatus = k8s.io.apimachinery.pkg.apis.meta.v1.Status;
const RpcStatus = google.rpc.Status;
const TYPE_URL = 'type.googleapis.com/k8s.io.apimachinery.pkg.apis.meta.v1.Status';

/** What of a Kubernetes Status travels; its members are named as in JSON. */
export type StatusMessage = k8s.io.apimachinery.pkg.apis.meta.v1.Status.$Properties;

/** The trailing metadata of a failed call that tells more of it, in every language's gRPC. */
export const STATUS_DETAILS_METADATA = 'grpc-status-details-bin';

/** A google.rpc.Status whose one detail is the Kubernetes Status. */
export function encodeStatusDetails(code: number, message: string, status: StatusMessage): Buffer {
  const details = [{ type_url: TYPE_URL, value: KubernetesStatus.encode(status).finish() }];
  return Buffer.from(RpcStatus.encode({ code, message, details }).finish());
}

/** The Kubernetes Status among the details, without members that are empty; undefined when there is none. */
export function decodeStatusDetails(bytes: Uint8Array): StatusMessage | undefined {
  try {
    const detail = RpcStatus.decode(bytes).details?.find(({ type_url: type }) => type === TYPE_URL);
    return detail?.value ? KubernetesStatus.toObject(KubernetesStatus.decode(detail.value)) : undefined;
  } catch {
    return undefined;
  }
}
