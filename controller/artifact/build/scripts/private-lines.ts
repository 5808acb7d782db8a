/**
 * Which lines of a step's log are not published. The tools log the whole cloud-config, and buildah each instruction of the rendered definition;
 * who may read the OSArtifact reads the end of a failed step's log in its status, and need not be allowed to read Secrets.
 */

/** In the containers: what the step got from Secrets. Those that a step does not mount do not exist. */
const PRIVATE_FILES = '/cloud-config.yaml /ocispec/*';
const CREDENTIALS = '/root/.docker/config.json';

/** What the tools write before a cloud-config, whatever is in it. */
const MARKS = ['#cloud-config', 'cloud_config', 'cloud-config:', 'CloudConfig'];

/**
 * Prints the texts that make a line private, one per line: the lines of the files without their indent, from eight characters on; what follows
 * `key: ` or `key=` in them, from eight characters on or, where the key sounds like a password, from three; the credentials for registries.
 */
const PRIVATE_TEXTS = String.raw`texts() {
  printf '%s\n' ${MARKS.map(mark => `'${mark}'`).join(' ')}
  for file in ${PRIVATE_FILES}; do
    [ -f "$file" ] || continue
    [ -r "$file" ] || return 1
    sed -e 's/^[-[:space:]]*//' -e 's/[\\[:space:]]*$//' "$file" | while IFS= read -r line || [ -n "$line" ]; do
      [ ${'$'}{#line} -lt 8 ] || printf '%s\n' "$line"
      case "$line" in *': '*) value=${'$'}{line#*: } ;; *=*) value=${'$'}{line#*=} ;; *) continue ;; esac
      value=${'$'}{value#[\"\']}
      value=${'$'}{value%[\"\']}
      case "${'$'}{line%%[:=]*}" in *[Pp][Aa][Ss][Ss]*|*[Ss][Ee][Cc][Rr][Ee][Tt]*|*[Tt][Oo][Kk][Ee][Nn]*|*[Kk][Ee][Yy]*|*[Aa][Uu][Tt][Hh]*|*[Cc][Rr][Ee][Dd]*) least=3 ;; *) least=8 ;; esac
      [ ${'$'}{#value} -lt $least ] || printf '%s\n' "$value"
    done
  done
  [ -f ${CREDENTIALS} ] || return 0
  grep -oE '"(auth|password|identitytoken|registrytoken)" *: *"[^"]+"' ${CREDENTIALS} | sed 's/.*"\([^"]*\)"$/\1/' | while read -r value; do
    printf '%s\n' "$value"
    plain=$(printf '%s' "$value" | base64 -d 2> /dev/null | tr -d '\0')
    [ ${'$'}{#plain} -lt 3 ] || printf '%s\n' "${'$'}{plain#*:}"
  done
}`;

/** Defines a function that prints the lines of the log in $1 that are not private. It prints nothing where that cannot be known. */
export const PUBLISHABLE_LINES = `${PRIVATE_TEXTS}
publishable() {
  for tool in sed grep tr base64; do command -v $tool > /dev/null || return 0; done
  export LC_ALL=C
  texts | grep '...' > /tmp/.private
  [ "\${PIPESTATUS[*]}" = '0 0' ] || return 0
  tr -d '\\000' < "$1" | grep -vFf /tmp/.private
}`;
