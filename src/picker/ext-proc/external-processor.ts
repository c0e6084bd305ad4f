import type { GrpcMethod } from '../http2/grpc';
import { ProcessCall } from './process-call';
import { type ExtProcOptions, ServiceContext } from './service-context';

/** Room for the message around a body that is sent whole (BUFFERED). */
const MESSAGE_OVERHEAD_BYTES = 1024 * 1024;

/** The method that Envoy calls for each HTTP request (envoy.service.ext_proc.v3). */
export function externalProcessor(options: ExtProcOptions): GrpcMethod {
  const context = new ServiceContext(options);
  return {
    path: '/envoy.service.ext_proc.v3.ExternalProcessor/Process',
    maxMessageBytes: context.maxBodyBytes + MESSAGE_OVERHEAD_BYTES,
    open: (stream) => new ProcessCall(stream, context),
  };
}
