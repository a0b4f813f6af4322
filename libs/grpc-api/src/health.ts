import { type handleServerStreamingCall, type handleUnaryCall, status } from '@grpc/grpc-js';
import { grpcProto } from '@periplus/proto';

type HealthCheckRequest = grpcProto.health.v1.HealthCheckRequest.$Properties;
type HealthCheckResponse = grpcProto.health.v1.HealthCheckResponse.$Properties;

const { ServingStatus } = grpcProto.health.v1.HealthCheckResponse;

/** Whether the server serves, for clients that ask and for those that watch. */
export class Health {
  private readonly services: ReadonlySet<string>;
  private readonly watchers = new Set<() => void>();
  private serving = true;

  /** `services` by full name; '' stands for the whole server. */
  constructor(services: Iterable<string>) {
    this.services = new Set(['', ...services]);
  }

  /** Tells everybody that the server is about to end. */
  stop(): void {
    this.serving = false;
    for (const tell of this.watchers) tell();
  }

  handlers() {
    const check: handleUnaryCall<HealthCheckRequest, HealthCheckResponse> = ({ request }, callback) => {
      const service = request.service ?? '';
      if (this.services.has(service)) callback(null, { status: this.status() });
      else callback({ code: status.NOT_FOUND, details: `unknown service ${service}` });
    };
    const watch: handleServerStreamingCall<HealthCheckRequest, HealthCheckResponse> = (call) => {
      const known = this.services.has(call.request.service ?? '');
      const tell = () => call.write({ status: known ? this.status() : ServingStatus.SERVICE_UNKNOWN });
      tell();
      this.watchers.add(tell);
      call.on('cancelled', () => this.watchers.delete(tell));
    };
    return { check, watch };
  }

  private status() {
    return this.serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
  }
}
