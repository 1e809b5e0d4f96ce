#!/usr/bin/env bash
# Every GPU row of benchmarks/README.md in one go: both full-size models with fresh weights on
# made-up text. First whether the fast engine computes there what it computes on a CPU, then the
# engines' speed side by side in the paper's FP16, then whole studies, then two workers where there
# are two GPUs. Needs no hub. About ten minutes on a data-centre GPU; prints Markdown tables.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${RUNS:-$(mktemp -d)}
agnews_ray=${AGNEWS_RAY:-python3 -m agnews_ray}
data=synthetic:train=16000,test=2000,seed=7

nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv
is_right=yes
python3 -m pytest -m gpu tests/unit/engine || is_right=no  # measured all the same, failed at the end
$agnews_ray bench --init random --dataset $data --device cuda --precision fp16 --rows 16000 \
  --rounds 3 --runs "$runs" --format markdown
for precision in fp16 fp32; do
  $agnews_ray submit --init random --dataset $data --device cuda --precision $precision \
    --epochs 1 --learning-rate 1e-4 --runs "$runs" --name "gpu-$precision" --quiet
  $agnews_ray compare "$runs/gpu-$precision" --format markdown
  $agnews_ray measure "$runs/gpu-$precision" --rows 1024
done
if [ "$(nvidia-smi -L | wc -l)" -ge 2 ]; then
  $agnews_ray submit --init random --dataset $data --device cuda --precision fp16 --num-workers 2 \
    --epochs 1 --learning-rate 1e-4 --runs "$runs" --name gpu-two-workers --quiet
  $agnews_ray compare "$runs/gpu-two-workers" --format markdown
fi
grep -h '"num_skipped_steps"\|"seconds_to_first_step"\|"peak_memory_bytes"' "$runs"/*/trials/*/record.json
[ $is_right = yes ] || { echo "the fast engine is not right on this GPU: see the tests above" >&2; exit 1; }
