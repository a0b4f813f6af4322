/**
 * A container or volume can't be set up from what the pod says. The message is what the user sees, in the
 * kubelet's words.
 */
export class ConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConfigError';
  }
}
