export { AiGatewayError } from './constructs/internal/errors';
