# Turns static.json into the part of nginx's configuration that differs from site to site.

# A value in double quotes.
def quoted: "\"" + (tostring | gsub("\\\\"; "\\\\") | gsub("\""; "\\\"")) + "\"";

# A path with wildcards as a regular expression: ** is anything, * anything but a slash.
def pattern:
  gsub("(?<c>[.+?^${}()|\\[\\]\\\\])"; "\\\(.c)")
  | gsub("\\*\\*"; "\u0001") | gsub("\\*"; "[^/]*") | gsub("\u0001"; ".*")
  | "^" + . + "$";

def header_maps:
  [.headers // {} | to_entries[] | .key as $path | .value | to_entries[]
    | {name: .key, path: $path, value: .value}]
  | group_by(.name) | to_entries[]
  | "map $uri $header_\(.key) {", "  default \"\";",
    (.value[] | "  \("~" + (.path | pattern) | quoted) \(.value | quoted);"), "}";

def headers:
  [.headers // {} | .[] | keys[]] | unique | to_entries[]
  | "add_header \(.value) $header_\(.key) always;";

def redirects:
  .redirects // {} | to_entries[]
  | "location ~ \(.key | pattern | quoted) { return \(.value.status // 301) \(.value.url | quoted); }";

def routes:
  .routes // {} | to_entries[]
  | "rewrite \(.key | pattern | quoted) \("/" + (.value | ltrimstr("/")) | quoted) break;";

def tries: if .clean_urls then "$uri $uri.html $uri/" else "$uri $uri/" end;

if $part == "maps" then header_maps
else
  (if .https_only then "if ($http_x_forwarded_proto = http) { return 301 https://$host$request_uri; }" else empty end),
  (if .error_page then "error_page 404 \("/" + (.error_page | ltrimstr("/")) | quoted);" else empty end),
  headers,
  redirects,
  # by the address as it was asked for: nginx passes here again when it looks for index.html itself
  (if .clean_urls then
    "if ($request_uri ~ \"^(/.*)?/index\\.html(\\?.*)?$\") { return 301 $1/$2; }",
    "if ($request_uri ~ \"^(/[^?]+)\\.html(\\?.*)?$\") { return 301 $1$2; }" else empty end),
  "location / { try_files \(tries) @routes; }",
  "location @routes {", routes, "return 404;", "}"
end
