/** What server reflection tells of one proto file. */
export interface FileDescription {
  imports: readonly string[];
  /** Full names. */
  services: readonly string[];
  messages: readonly string[];
  /** The serialized FileDescriptorProto, base64. */
  descriptor: string;
}
