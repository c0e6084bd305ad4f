/** What the server has done since it started; read by the metrics page. */
export class Http2Counters {
  /** Open connections. */
  connections = 0;
  connectionsTotal = 0;
  /** Not accepted because of `maxConnections`. */
  connectionsRefused = 0;
  /** Open streams. */
  streamsOpen = 0;
  streamsTotal = 0;
  /** Streams that the client reset. */
  streamsResetByClient = 0;
  /** Streams that the server reset or refused. */
  streamsResetByServer = 0;
  messagesReceived = 0;
  messagesSent = 0;
  /** Connections ended with GOAWAY because of an error. */
  connectionErrors = 0;
}
