import { Client, type ClientReadableStream, credentials } from '@grpc/grpc-js';
import { containerdProto, method } from '@periplus/proto';

const v1 = containerdProto.services.events.v1;
const subscribe = method('/containerd.services.events.v1.Events/Subscribe', v1.SubscribeRequest, v1.Envelope, {
  response: true,
});

/** Containers of Kubernetes live in this namespace of containerd. */
const CRI_NAMESPACE = 'k8s.io';
const RECONNECT_MS = 500;

/** Something happened to a task: `/tasks/start`, `/tasks/exit`, `/tasks/oom`, ... */
export interface TaskEvent {
  topic: string;
  containerId: string;
}

export interface TaskWatch {
  close(): void;
}

/**
 * Follows the starts, exits and OOM kills of all containers of the containerd at `socketPath`. Events are
 * hints: some are lost while the connection is down, so `onConnected` (called on each connection) has to look
 * at everything again.
 */
export function watchTasks(
  socketPath: string,
  listener: { onEvent(event: TaskEvent): void; onConnected(): void },
): TaskWatch {
  const client = new Client(`unix://${socketPath}`, credentials.createInsecure(), {
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 2_000,
  });
  let stream: ClientReadableStream<containerdProto.services.events.v1.IEnvelope> | null = null;
  let timer: NodeJS.Timeout | null = null;
  let closed = false;

  const connect = (): void => {
    timer = null;
    stream = client.makeServerStreamRequest(subscribe.path, subscribe.requestSerialize, subscribe.responseDeserialize, {
      filters: [`namespace==${CRI_NAMESPACE},topic~="^/tasks/"`],
    });
    // containerd sends headers with the first event only, so the channel's state tells of the connection.
    client.waitForReady(Date.now() + 60_000, (error) => {
      if (!error && !closed) listener.onConnected();
    });
    stream.on('data', (envelope: containerdProto.services.events.v1.IEnvelope) => {
      const payload = envelope.event?.value;
      if (!payload) return;
      listener.onEvent({ topic: envelope.topic ?? '', containerId: v1.TaskEvent.decode(payload).containerId });
    });
    const again = (): void => {
      if (!closed && !timer) timer = setTimeout(connect, RECONNECT_MS);
    };
    stream.on('error', again);
    stream.on('end', again);
  };

  connect();
  return {
    close: () => {
      closed = true;
      if (timer) clearTimeout(timer);
      stream?.cancel();
      client.close();
    },
  };
}
