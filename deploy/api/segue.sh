# Starts a Segue of its own with the demo album, for the scripts beside this one, and stops it when they end.
# Needs SEGUE_BIN; sets $folder (a folder for scratch files, the working directory from then on) and $url.

start_segue() { # SONGS [ARGUMENT...]: returns when that many songs can be played
  local songs=$1 binary
  shift
  binary=$(realpath "$SEGUE_BIN")
  folder=$(mktemp -d)
  cd "$folder"
  "$binary" up --demo --data "$folder/data" --listen 127.0.0.1:0 --log-filter warn --transcoder-jobs 1 \
    --origin-registration open --origin-rate-per-second 0 "$@" >"$folder/out" 2>"$folder/log" &
  segue=$!
  trap 'kill $segue 2>/dev/null || true; wait $segue 2>/dev/null || true; rm -rf "$folder"' EXIT
  for _ in $(seq 600); do
    url=$(grep -o 'http://[0-9.:]*' "$folder/out" | head -1 || true)
    [ -n "$url" ] && [ "$(curl -sf "$url/songs" | grep -o '"renditions"' | wc -l)" -ge "$songs" ] && return
    kill -0 $segue 2>/dev/null || break
    sleep 0.2
  done
  cat "$folder/log" >&2
  exit 1
}
