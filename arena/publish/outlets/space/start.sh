# Written by arena publish. Votes outlive a restart where the Space has storage, which is /data.
if [ -d /data ] && [ -w /data ]; then
  [ -e /data/arena.db ] || cp arena.db /data/arena.db
  export ARENA_DB=/data/arena.db
fi
exec python -m arena app --config arena.yaml
