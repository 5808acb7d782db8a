/** Whether the kubelet's message about a failed pull says that another try will fail too. */

/** Names and addresses may contain any word: an image called `forbidden-planet` is not forbidden. */
const REFERENCES = /"[^"]*"|\S+:\/\/\S+|\S+\/\S+/g;

/** Troubles of networks, certificates, busy registries and full disks, whatever else the message contains. They may end by themselves. */
const TEMPORARY_ERRORS = [
  /no such host|server misbehaving|temporary failure|lookup .*(timeout|refused)/i,
  /tls:|x509:|certificate|handshake/i,
  /timeout|timed out|deadline exceeded|connection (refused|reset)|broken pipe|\bEOF\b|no route to host|unreachable|proxyconnect/i,
  /toomanyrequests|too many requests|rate ?limit|\b429\b/i,
  /status(?: code)?:? 5\d\d|\b5\d\d (internal|bad|service|gateway)/i,
  /no space left|disk quota|permission denied|read-only file system/i,
  /* The store of the node or one layer: the registry has accepted image and credentials before. */
  /content digest|httpReadSeeker|blob (?:sha256:\S+ )?not found/i,
];

const PERMANENT_ERROR =
  /not found|unauthorized|authentication required|denied|forbidden|(manifest|name) unknown|no basic auth|insufficient.scope|does not exist|invalid reference/i;

/** The answer of a registry that refuses the image or the credentials. */
export function isPermanentPullError(message: string): boolean {
  const text = message.replaceAll(REFERENCES, ' ');
  return PERMANENT_ERROR.test(text) && !TEMPORARY_ERRORS.some(error => error.test(text));
}
