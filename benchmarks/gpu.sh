#!/usr/bin/env bash
# Every GPU row of benchmarks/README.md in one go, in ten minutes at most: first whether the engine
# computes on this GPU what it computes on a CPU, then whole studies, then the engines' speed side by
# side, then students and teachers, then two workers where there are two GPUs; full-size models with
# fresh weights on made-up text, so that no hub is needed. What fails, or found no time, is told at the end; the rest is
# measured all the same. Ends with one Markdown table, to be pasted.
#
# Without a GPU its commands can be tried:
#   DEVICE=cpu PRECISION=fp32 MODELS=jobs/demo.yaml ROWS=160 ROUNDS=1 benchmarks/gpu.sh
set -uo pipefail
cd "$(dirname "$0")/.."
runs=${RUNS:-$(mktemp -d)}
python=${PYTHON:-python3}
agnews_ray=${AGNEWS_RAY:-$python -m agnews_ray}
device=${DEVICE:-cuda}
rows=${ROWS:-3200}
budget_s=${BUDGET_S:-570}
models=${MODELS:---init random}  # or a job file with others than the paper's
bench_model=${BENCH_MODEL:-minilm}
data=synthetic:train=$rows,test=1000,seed=7
failed=()

measured() {  # runs words within so many seconds, and what is left of all; remembers what fails
  local limit_s=$1 left_s=$((budget_s - SECONDS))
  shift
  if [ $left_s -lt 10 ]; then
    failed+=("no time left for: $*")
  else
    timeout --kill-after=10 $((left_s < limit_s ? left_s : limit_s)) "$@" \
      || failed+=("exit $? (124: out of time) of: $*")
  fi
}

gpu_tests() {  # skipped tests are no passed ones
  measured 150 $python -m pytest -m gpu tests/unit/engine -rs 2>&1 | tee "$runs/tests.txt"
  grep -qE '^[0-9]+ passed' "$runs/tests.txt" && ! grep -qE '[0-9]+ (skipped|failed|error)' "$runs/tests.txt"
}

study() {  # trains one epoch as NAME with further flags
  local name=$1
  shift
  measured 120 $agnews_ray submit $models --dataset $data --device $device \
    --epochs 1 --learning-rate 1e-4 --runs "$runs" --name "$name" --quiet "$@"
}

mkdir -p "$runs"
if [ "$device" = cuda ]; then
  nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv || exit 1
  measured 60 $agnews_ray doctor
fi
gpu_tests || failed+=("the GPU tests did not all run and pass")
study gpu-fp16 --precision "${PRECISION:-fp16}"
measured 60 $agnews_ray measure "$runs/gpu-fp16" --rows 128 --device $device
measured 280 $agnews_ray bench --models "$bench_model" --init random --dataset $data --device $device \
  --precision "${PRECISION:-fp16}" --rows "$rows" --rounds "${ROUNDS:-2}" --runs "$runs" \
  --format json >"$runs/bench.json"
study gpu-fp32 --precision fp32
measured 120 $agnews_ray submit jobs/distil-demo.yaml --device $device --runs "$runs" --quiet
if [ "$device" = cuda ] && [ "$(nvidia-smi -L | wc -l)" -ge 2 ]; then
  study gpu-two-workers --precision fp16 --num-workers 2
fi
$python benchmarks/gpu_table.py "$runs" || failed+=("the table")
echo "took $SECONDS s"
[ ${#failed[@]} = 0 ] || { printf 'failed: %s\n' "${failed[@]}" >&2; exit 1; }
