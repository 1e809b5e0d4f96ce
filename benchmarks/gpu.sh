#!/usr/bin/env bash
# Every GPU row of benchmarks/README.md in one go: both full-size models with fresh weights on
# made-up text. First whether the fast engine computes there what it computes on a CPU, then the
# engines' speed side by side in the paper's FP16, then whole studies, then two workers where there
# are two GPUs. What fails is told at the end; the rest is measured all the same. Needs no hub.
# Prints Markdown tables.
set -uo pipefail
cd "$(dirname "$0")/.."
runs=${RUNS:-$(mktemp -d)}
agnews_ray=${AGNEWS_RAY:-python3 -m agnews_ray}
data=synthetic:train=16000,test=2000,seed=7
failed=()

measured() {  # runs its words, and remembers them if they fail
  "$@" || failed+=("$*")
}

study() {  # trains one epoch as NAME with further flags, and shows its table
  local name=$1
  shift
  measured $agnews_ray submit --init random --dataset $data --device cuda --epochs 1 \
    --learning-rate 1e-4 --runs "$runs" --name "$name" --quiet "$@"
  measured $agnews_ray compare "$runs/$name" --format markdown
}

nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv || exit 1
measured python3 -m pytest -m gpu tests/unit/engine
measured $agnews_ray bench --init random --dataset $data --device cuda --precision fp16 \
  --rows 16000 --rounds 3 --runs "$runs" --format markdown
for precision in fp16 fp32; do
  study "gpu-$precision" --precision $precision
  measured $agnews_ray measure "$runs/gpu-$precision" --rows 1024
done
if [ "$(nvidia-smi -L | wc -l)" -ge 2 ]; then
  study gpu-two-workers --precision fp16 --num-workers 2
fi
grep -h '"num_skipped_steps"\|"seconds_to_first_step"\|"peak_memory_bytes"' "$runs"/*/trials/*/record.json
[ ${#failed[@]} = 0 ] || { printf 'failed: %s\n' "${failed[@]}" >&2; exit 1; }
