/** Whether the kubelet's message about a failed pull says that another try will fail too. */

/** Names and addresses may contain any word: an image called `forbidden-planet` is not forbidden, nor is a tag, which CRI-O names alone. */
const REFERENCES = /"[^"]*"|\S+:\/\/\S+|\S+\/\S+|\breading manifest \S+ in\b/g;

/** Troubles of networks, certificates, busy registries and full disks, whatever else the message contains. They may end by themselves. */
const TEMPORARY_ERRORS = [
  /no such host|server misbehaving|temporary failure|lookup .*(timeout|refused)/i,
  /tls:|x509:|certificate|handshake/i,
  /* These are answers of a proxy, or no answers at all. */
  /failed to do request|proxy authentication required|\b(get|head|post|put) +: forbidden\s*$|\bdial (tcp|udp)\b|server gave HTTP response/i,
  /timeout|timed out|deadline exceeded|connection (refused|reset)|broken pipe|\bEOF\b|no route to host|unreachable|proxyconnect/i,
  /toomanyrequests|too many requests|rate ?limit|\b429\b/i,
  /status(?: code)?:? 5\d\d|\b5\d\d (internal|bad|service|gateway)/i,
  /* Of the disk; registries write `denied: Permission denied for`. */
  /no space left|disk quota|(?<!denied: )permission denied|read-only file system/i,
  /* The store of the node or one layer: the registry has accepted image and credentials before. */
  /content digest|httpReadSeeker|blob (?:sha256:\S+ )?not found/i,
];

/** Not as a part of a host name such as `denied.example.com`, which some messages contain without quotes. */
const PERMANENT_ERROR =
  /not found|(?<![\w.-])(unauthorized|denied|forbidden)(?![\w-]|[.:][\w])|authentication required|(manifest|name) unknown|no basic auth|insufficient.scope|does not exist|invalid reference/i;

/** In characters. The patterns cost the square of a text without spaces, and a message repeats the name of the image. */
const EXAMINED_LENGTH = 4096;

/** The answer of a registry that refuses the image or the credentials. */
export function isPermanentPullError(message: string): boolean {
  const text = message.slice(0, EXAMINED_LENGTH).replaceAll(REFERENCES, ' ');
  return PERMANENT_ERROR.test(text) && !TEMPORARY_ERRORS.some(error => error.test(text));
}
