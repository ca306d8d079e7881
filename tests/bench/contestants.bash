# What is raced: the tools, and the commands of their peers. For tests/bench/run. Each command prints a turn's figures.

# PyTorch's best setting in single precision, beside channels_last: memory that is kept, in huge pages. Of the settings
# of group_settings jemalloc is as good, and none better.
kept=(MALLOC_TRIM_THRESHOLD_=4294967296 MALLOC_MMAP_THRESHOLD_=4294967296 MALLOC_TOP_PAD_=536870912)
tuned=("${kept[@]}" GLIBC_TUNABLES=glibc.malloc.hugetlb=1)
tuned_says="memory kept, huge pages"

warm=2 # steps of training that do not count

# COMMAND..., with all contestants' kernels held to AVX2
without_avx512() (
    export RS_KERNEL=avx2 OPENBLAS_CORETYPE=Haswell ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2
    "$@"
)

kernel_name() {
    rs-train -version | sed -n 's/^kernel: //p'
}

# peak THREADS: GFLOP/s in the kernel's instruction set
peak() {
    "peak-$kernel" "$1"
}

# train CHANNELS DROPOUT BATCHES THREADS: patches/s, from a file of so many batches
train() {
    rs-train -quiet -model="$work/model" -log="$work/log" -log-every=1 -epochs=1 -pixels=image -channels="$1" \
        -dropout="$2" -threads="$4" "$inputs/batches-$3.tensors"
    log_rate
}

# stream CHANNELS DROPOUT STEPS THREADS: patches/s, from a pipe
stream() {
    while cat "$inputs/small.pam"; do :; done 2>/dev/null | rs-rotate -quiet | rs-patch -quiet |
        rs-norm -quiet -mode=dataset -stats="$inputs/statistics" |
        rs-train -quiet -model="$work/model" -log="$work/log" -log-every=1 -steps="$3" -shuffle=256 -pixels=image \
            -channels="$1" -dropout="$2" -threads="$4"
    log_rate
}

log_rate() {
    awk -F '\t' -v warm=$warm 'NR == warm + 1 { from = $NF } END { print 32 * (NR - 1 - warm) / ($NF - from) }' \
        "$work/log"
}

# start_training SETTING CHANNELS DROPOUT: PyTorch, for `ask SETTING STEPS`; false if the setting is not to be had
start_training() {
    local environment=() options=(--channels-last) says=''
    case $1 in
    installed) options=() ;;
    channels_last) ;;
    tuned) environment=("${tuned[@]}") says=$tuned_says ;;
    kept) environment=("${kept[@]}") says="memory kept" ;;
    jemalloc)
        environment=("LD_PRELOAD=$(library libjemalloc.so.2)" "MALLOC_CONF=thp:always,dirty_decay_ms:-1") says=jemalloc
        [ "${environment[0]}" != LD_PRELOAD= ] || { left_out jemalloc && return 1; }
        ;;
    compiled) environment=("${tuned[@]}") options+=(--compile) says=$tuned_says ;;
    esac
    start "$1" env "${environment[@]}" "$PYTHON" "$here/peers/torch_train.py" --threads "$threads" --channels "$2" \
        --dropout "$3" "${options[@]}" --say "$says"
}
library() {
    echo "no $1" >"$work/error"
    ldconfig -p | awk -v name="$1" '$1 == name { print $NF; exit }'
}

# segment PHOTOGRAPH COUNT COMMAND...: what `clock` says of a command that segments a photograph so many times; under
# meter=unmeasured its maps
meter=clock
unmeasured() {
    "${@:2}"
}
segment() {
    local photographs=()
    while [ ${#photographs[@]} -lt "$2" ]; do
        photographs+=("$inputs/$1.ppm")
    done
    $meter "$2" "${@:3}" "${photographs[@]}"
}

# able_to_infer installed|tuned|onnx: whether this peer is there
able_to_infer() {
    case $1 in
    installed) able "$1" "$PYTHON" "$here/peers/torch_infer.py" ;;
    tuned) able "$1" "$PYTHON" "$here/peers/torch_infer.py" --tuned --say "$tuned_says" ;;
    onnx) able "$1" "$PYTHON" "$here/peers/onnx_infer.py" && need whole.onnx ;;
    esac
}

# infer MODEL PHOTOGRAPH COUNT THREADS
infer() {
    segment "$2" "$3" rs-infer -quiet -threads="$4" -model="$inputs/$1.safetensors"
}
infer_installed() {
    segment "$1" "$2" "$PYTHON" "$here/peers/torch_infer.py" --threads "$threads" "$inputs/whole.safetensors"
}
infer_tuned() {
    segment "$1" "$2" env "${tuned[@]}" "$PYTHON" "$here/peers/torch_infer.py" --tuned --threads "$threads" \
        "$inputs/whole.safetensors"
}
infer_onnx() {
    segment "$1" "$2" "$PYTHON" "$here/peers/onnx_infer.py" --threads "$threads" "$inputs/whole.safetensors" \
        "$inputs/whole.onnx"
}

# and_alone PARTS SCRIPT ARGUMENT...: what `clock` says of a peer, and then what it says itself of its heart alone
and_alone() {
    local seen
    seen=$(clock "$1" "$PYTHON" "$here/peers/$2" --alone "$work/alone" "${@:3}")
    paste <(echo "$seen") "$work/alone"
}

# rotate COPIES THREADS
rotate() {
    clock "$1" rs-rotate -quiet -no-original -copies="$1" -threads="$2" "$inputs/large.ppm"
}
rotate_pillow() {
    and_alone "$1" pillow_rotate.py --copies "$1" "$inputs/large.ppm"
}

score() {
    clock 1 rs-score -quiet "$inputs/maps.pam"
}
score_sklearn() {
    and_alone 1 sklearn_score.py "$inputs/maps.pam"
}

# filter METHOD PHOTOGRAPH COUNT
filter() {
    segment "$2" "$3" rs-baseline -quiet -threads="$threads" -method="$1"
}
# filter_peer LIBRARY METHOD PHOTOGRAPH DIAMETER COUNT
filter_peer() {
    segment "$3" "$5" "$PYTHON" "$here/peers/baseline_filters.py" --library "$1" --method "$2" --diameter "$4" \
        --threads "$threads"
}
