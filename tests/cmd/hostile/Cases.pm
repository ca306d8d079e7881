# What is fed to the tools: sound images and records, and many that are not.
package Cases;
use strict;
use warnings;
no warnings 'qw'; # commas are meant
use Exporter 'import';
our @EXPORT = qw(seeds pam samples small_images hostile_images pnm_images record parts spoilt_records spoilt_tensors
    spoilt_models long_records spoilt_floats spoilt_statistics spoilt_tables spoilt_cells);

my $MiB = 1 << 20;

my @columns = qw(step epoch loss accuracy val_loss val_accuracy val_dice val_auc learning_rate patches_per_second);

# --- Images ---

sub pam {
    my ($w, $h, $depth, $maxval, $type, $body) = @_;
    return "P7\nWIDTH $w\nHEIGHT $h\nDEPTH $depth\nMAXVAL $maxval\nTUPLTYPE $type\nENDHDR\n$body";
}

# So many samples below `most`, no two neighbours alike, of one byte or two.
sub samples {
    my ($count, $most, $wide) = @_;
    return pack $wide ? 'n*' : 'C*', map { ($_ * 37 + 11) % $most } 1 .. $count;
}

sub seeds {
    return (
        photo => pam(3, 2, 5, 255,   'RGB_VESSEL_FOV', samples(30, 256)),
        deep  => pam(2, 3, 5, 65535, 'RGB_VESSEL_FOV', samples(30, 65536, 1)),
        map   => pam(3, 2, 2, 255,   'PROB_VESSEL',    samples(12, 256)),
        log   => table([@columns, 'seconds'], [50, 1, .5, .75, ('NA') x 4, .01, 100, '0.500'], [100, 1, .25, .8, .3, .7, .6, .9, .01, 90, '1.000']),
        curve => table([qw(threshold false_positive_rate sensitivity)], [.5, .25, .5], [.25, .5, .75]),
    );
}

sub small_images {
    return (
        P1 => "P1\n3 2\n1 0 1\n0 1 0",
        P2 => "P2\n3 1\n9\n1 2 3\n",
        P4 => "P4\n9 2\n" . samples(4, 256),
        P5 => "P5 3 2 255\n" . samples(6, 256),
        P6 => "P6\n3 2\n255\n" . samples(18, 256),
    );
}

# A copy of `text` with the first match replaced, which must be there.
sub replaced {
    my ($text, $from, $to) = @_;
    $text =~ s/$from/$to/ or die "no $from\n";
    return $text;
}

# (name, bytes, refused or accepted) for tools that take images of these planes.
sub hostile_images {
    my ($type, $depth) = @_;
    my $good = pam(3, 2, $depth, 255, $type, samples(6 * $depth, 256));
    my $with = sub { replaced($good, @_) };
    my $of_maxval = sub {
        my ($maxval) = @_;
        return pam(3, 2, $depth, $maxval, $type, samples(6 * $depth, $maxval + 1, $maxval > 255));
    };
    my $over = sub {
        my ($maxval) = @_;
        return pam(1, 1, $depth, $maxval, $type, pack $maxval > 255 ? 'n*' : 'C*', (0) x ($depth - 1), $maxval + 1);
    };
    my @numbers = (
        '', 0, -1, '+3', '3x', '0x3', '3.0', '3e0', '3 3', "3\t3", 2147483647, 2147483648, 4294967299,
        '18446744073709551619', 178956971, '9' x 200
    );
    my @sizes = (
        [30000, 30000], [65536, 65536], [65537, 65535], [46341, 46341], [2147483647, 2147483647],
        [178956970, 178956970], [178956970, 1], [1, 178956970], [13377, 13377], [178956970, 2], [4, 2], [3, 3]
    );
    my @types = (
        qw(RGB GRAYSCALE PROB RGB_ALPHA GRAYSCALE_ALPHA CMYK RGB_FOV_VESSEL RGB_VESSEL_FOV_FOV rgb_vessel_fov),
        qw(_VESSEL RGB_ VESSEL BLACKANDWHITE), 'RGB_VESSEL_FOV ALPHA', "\xff"
    );
    my @fields = qw(WIDTH HEIGHT DEPTH MAXVAL);
    return (
        ['nothing',       '',    'refused'],
        ['a sound image', $good, 'accepted'],
        (map { ["behind an image '$_'", $good . $_, 'refused'] }
            'x', "\n", "\0", 'P', 'P7', 'P8', "P7\n", 'junk that is longer', "\xff\xfe"),
        (map { ["the first bytes are '$_'", $_, 'refused'] }
            qw(P P0 P8 p7 P7 P7x II*), "\x89PNG\r\n\x1a\n", "\xff\xd8\xff\xe0"),
        (map { ["a comment of $_ bytes", $with->("\nHEIGHT", "\n#" . 'c' x ($_ - 1) . "\nHEIGHT"), 'accepted'] }
            1, 253 .. 257, 511, $MiB),
        (map { ["a TUPLTYPE line of $_ bytes", $with->('TUPLTYPE .*', 'TUPLTYPE ' . 'T' x ($_ - 9)), 'refused'] }
            253 .. 257, $MiB),
        (map { ["an unknown line of $_ bytes", $with->("\nHEIGHT", "\n" . 'x' x $_ . "\nHEIGHT"), 'refused'] }
            1, 253 .. 257, $MiB),
        (map { ["a WIDTH line of $_ bytes", $with->('WIDTH 3', 'WIDTH' . ' ' x ($_ - 6) . '3'),
                $_ < 256 ? 'accepted' : 'refused'] } 254 .. 256, $MiB),
        ['a WIDTH line of 1 MiB that does not end', "P7\nWIDTH " . '1' x $MiB, 'refused'],
        ['1 MiB of empty lines', $with->("\nHEIGHT", "\n" x $MiB . 'HEIGHT'), 'accepted'],
        (map { my $field = $_; map { ["$field '$_'", $with->("$field \\d+", "$field $_"), 'refused'] } @numbers } @fields),
        (map { ["maxval $_", $of_maxval->($_), 'accepted'] } 1, 2, 254, 255, 256, 65535),
        ['maxval 65536', $with->('MAXVAL 255', 'MAXVAL 65536'), 'refused'],
        (map { ["$_->[0] x $_->[1]", $with->("WIDTH 3\nHEIGHT 2", "WIDTH $_->[0]\nHEIGHT $_->[1]"), 'refused'] } @sizes),
        (map { ["a sample over maxval $_", $over->($_), 'refused'] } 1, 100, 254, 256, 65534),
        ['the first sample over maxval', pam(1, 1, $depth, 7, $type, chr(8) . "\0" x ($depth - 1)), 'refused'],
        (map { ["TUPLTYPE $_", $with->('TUPLTYPE .*', "TUPLTYPE $_"), 'refused'] } @types),
        ['no TUPLTYPE',    $with->("TUPLTYPE .*\n", ''), 'refused'],
        ['TUPLTYPE twice', $with->('TUPLTYPE', "TUPLTYPE $type\nTUPLTYPE"), 'refused'],
        (map { ["DEPTH $_", $with->('DEPTH \d', "DEPTH $_"), 'refused'] } grep { $_ != $depth } 1 .. 7),
        (map { ["no $_", $with->("$_ .*\n", ''), 'refused'], ["$_ twice", $with->("$_ ", "$_ 1\n$_ "), 'refused'] } @fields),
        ['no ENDHDR',            $with->("ENDHDR\n", ''), 'refused'],
        ['NUL in the header',    $with->('HEIGHT', "\0HEIGHT"), 'refused'],
        ['NUL in a comment',     $with->('HEIGHT', "#\0\nHEIGHT"), 'refused'],
        ['CR LF in the header',  $with->("\nHEIGHT", "\r\nHEIGHT"), 'accepted'],
        ['then a smaller one over maxval', $good . $over->(254), 'refused'],
    );
}

# The same for the older formats. A model may be of colour photographs, so that grey ones are refused.
sub pnm_images {
    my ($grey) = @_;
    my $p6 = sub { "P6$_[0]" . samples(18, 256) };
    my $p3 = 'P3 2 2 9 ';
    my @ones = (1) x 12;
    return (
        ['30000 x 30000 in 19 bytes', "P5\n30000 30000\n255\n", 'refused'],
        ['13377 x 13377 in 19 bytes', "P5\n13377 13377\n255\n", 'refused'],
        ['a row of 178956970',        "P6 178956970 1 65535\n", 'refused'],
        ['178956970 rows',            "P4 1 178956970\n",       'refused'],
        ['a sound P6',                $p6->("\n3 2\n255\n"),    'accepted'],
        ['a sound P5', "P5\n3 2\n255\n" . samples(6, 256), $grey],
        ['a sound P4', "P4\n8 2\n" . samples(2, 256),      $grey],
        ['a sound P3', "$p3@{[1 .. 9, 1, 2, 3]}\n", 'accepted'],
        ['a P3 whose last number may be cut', "$p3@ones", 'refused'],
        ['a sound P2 and blanks behind it', "P2 2 2 9 1 2 3 4\n \n\t ", $grey],
        (map { ["P3 with a sample '$_'", "$p3$_ @ones[1 .. 11]\n", 'refused'] } 'x', 10, -1, 4294967297, '1' x $MiB),
        ['P3 with 1 MiB of blanks', $p3 . ' ' x $MiB . "@ones\n", 'accepted'],
        ['P1 with a 2',             'P1 2 2 2 0 0 0',             'refused'],
        ['a width of 1 MiB',        $p6->("\n" . '3' x $MiB),     'refused'],
        ['a width of 15 digits', $p6->("\n" . '0' x 14 . "3 2 255\n"), 'accepted'],
        ['a width of 16 digits', $p6->("\n" . '0' x 15 . "3 2 255\n"), 'refused'],
        (map { ["a comment of $_ bytes", $p6->("\n#" . 'c' x $_ . "\n3 2 255\n"), 'accepted'] } 0, 254, 255, 256, $MiB),
        ['a comment that does not end', 'P6 #' . 'c' x $MiB, 'refused'],
        (map { ["width '$_'", $p6->("\n$_ 2 255\n"), 'refused'] }
            qw(0 -3 +3 2147483647 4294967299 18446744073709551619 178956971 3.0 0x3)),
        (map { ["maxval '$_'", $p6->("\n3 2 $_\n"), 'refused'] } qw(0 -1 65536 2147483647 4294967551)),
        ['maxval 1',     "P6 2 2 1\n" . samples(12, 2), 'accepted'],
        ['maxval 65535', "P6 2 2 65535\n" . samples(12, 65536, 1), 'accepted'],
        ['NUL in the header', "P6\n3\0 2 255\n" . samples(18, 256), 'refused'],
        ['a PNG behind',      $p6->("\n3 2\n255\n") . "\x89PNG",    'refused'],
    );
}

# --- Records: tensors, models, statistics, checkpoints ---

sub record {
    my ($header, $data) = @_;
    return pack('Q<', length $header) . $header . $data;
}

# A record's header and its data.
sub parts {
    my ($bytes) = @_;
    my $length = unpack 'Q<', $bytes;
    return (substr($bytes, 8, $length), substr $bytes, 8 + $length);
}

# A function that makes the record with something replaced in its header.
sub changer {
    my ($header, $data) = @_;
    return sub { record(replaced($header, @_), $data) };
}

# A metadatum in every one of these values.
sub metadata {
    my ($with, $key, @values) = @_;
    return map { ["$key '$_'", $with->("\"$key\":\"[^\"]*\"", "\"$key\":\"$_\""), 'shown'] } @values;
}

# (name, bytes) of records that no tool may take for what they should be; 'shown' are those that rs-info may show.
sub spoilt_records {
    my ($header, $data) = @_;
    my $bytes = record($header, $data);
    my $with = changer($header, $data);
    my %length = (
        0 => 0, 1 => 1, 'more than there is' => length($bytes) + 1, '2^20 + 1' => $MiB + 1, '2^31' => 1 << 31,
        '2^32 + 2' => (1 << 32) + 2, '2^63' => 1 << 63, '2^64 - 1' => ~0
    );
    my @headers = (
        '[]', '{', '""', '12', 'null', '{} x', '{"a"}', '{"a":}', '{"a":1}', '{"a":null}', '{"a":[]}', '{"a":{}}',
        "{\"\xff\":1}", "{\"a\":\"\xc0\x80\"}", '{"\u0000":1}', '{"\ud800":1}', "\xef\xbb\xbf{}",
        '{"__metadata__":[]}', '{"__metadata__":null}', '{"__metadata__":{"kind":1}}',
        '{"__metadata__":{"kind":null}}', '{"__metadata__":{"kind":{}}}', '{"__metadata__":{"kind":"a\u0000b"}}'
    );
    my @patches = (
        '', 'x', '4', '4x', 'x4', '0x4', '-4x4', '4x4x4', '4.0x4', ' 4x4', '999999999999x1', '429496729x2',
        '2147483648x2147483648', 'nanxinf', '4' x 500 . 'x4'
    );
    my ($array) = $header =~ /"(\w+(?:\.\w+)*)":\{"dtype"/;
    return (
        (map { ["a header of length $_", pack('Q<', $length{$_}) . substr $bytes, 8] } sort keys %length),
        (map { ["behind it '$_'", $bytes . $_] } 'x', "\0", ' ' x 8, "\n"),
        (map { ["the header '$_'", record($_, $data)] } @headers),
        ['the header {}', record('{}', $data), 'shown'],
        ['1 MiB of [', record('[' x $MiB, $data)],
        ['1 MiB of {"a":', record(substr('{"a":' x $MiB, 0, $MiB), $data)],
        ['1 MiB of [ in a metadatum', record('{"__metadata__":{"kind":' . '[' x 500000 . ']' x 500000 . '}}', $data)],
        ['a number of 1 MB', record('{"a":' . '1' x 1000000 . '}', $data)],
        ['NUL in the header', $with->('\{', "{\0")],
        ['NUL behind the header', record("$header\0", $data)],
        ['metadata twice', $with->('\{', '{"__metadata__":{},')],
        ['kind twice', $with->('"kind"', '"kind":"x","kind"')],
        ['no metadata', record($header =~ s/"__metadata__":\{.*?\},?//r, $data), 'shown'],
        ['another kind', $with->('"kind":"[^"]*"', '"kind":"x"'), 'kind'],
        ['no kind', $with->('"kind":"[^"]*",', ''), 'kind'],
        (map { (["no $_", $with->("\"$_\":\"[^\"]*\",", ''), 'shown'], metadata($with, $_, '', 'x', '\u00e4\n\t')) }
            qw(normalisation source planes pixels subtract_mean divide_std)),
        metadata($with, 'patch', @patches),
        $array ? spoilt_arrays($with, $array, $header, $data) : (),
    );
}

sub spoilt_arrays {
    my ($with, $array, $header, $data) = @_;
    my @offsets = (
        qw([0,0] [1,2] [0,9223372036854775807] [9223372036854775807,9223372036854775807] [0,9223372036854775808]),
        qw([0,18446744073709551616] [-4,0] [4,0] [0] [] [0,4,8] [0,4.0] [0,"4"] {} null [[0],[4]] [0,1e400])
    );
    my @shapes = (
        qw([] [0] [-1] [1,1,1,1,1] [4294967296,4294967296] [4611686018427387904] [2147483647,2147483647,2147483647]),
        qw([1048576,1048576,1048576,1048576] [1048577,1,1,1] [9223372036854775808] [[1]] ["1"] [1.0] null 4 {})
    );
    my $empty = '{"dtype":"U8","shape":[0],"data_offsets":[0,0]}';
    my ($end, $past) = (length($data) + 4, length($data) + 8);
    return (
        (map { ["offsets $_", $with->('"data_offsets":\[\d+,\d+\]', "\"data_offsets\":$_")] } @offsets),
        (map { ["shape $_", $with->('"shape":\[[\d,]+\]', "\"shape\":$_")] } @shapes),
        (map { ["dtype $_", $with->('"dtype":"F32"', "\"dtype\":$_")] }
            qw("F16" "F64" "BF16" "f32" "U8" "I64" "" 32 null {})),
        ['a hole before the last array', $with->('\[\d+,\d+\](?=\}\}\s*$)', "[$end,$past]")],
        ['arrays one over the other', record($header =~ s/"data_offsets":\[\d+,/"data_offsets":[0,/gr, $data)],
        ['an array twice', $with->("\"$array\"", "\"$array\":$empty,\"$array\"")],
        ['dtype twice', $with->('"dtype":"F32"', '"dtype":"F32","dtype":"F32"')],
        ['a field more', $with->('"dtype":"F32"', '"x":1,"dtype":"F32"')],
        ['a field less', $with->('"dtype":"F32",', '')],
        ['an array with NUL in its name', $with->("\"$array\"", "\"$array\\u0000\"")],
        ['an array of another name', $with->("\"$array\"", '"other"'), 'shown'],
        ['an array without a name', $with->("\"$array\"", '""'), 'shown'],
        ['an empty array more', $with->("\"$array\"", "\"more\":$empty,\"$array\""), 'shown'],
        ['17000 arrays more', $with->("\"$array\"", join('', map { "\"$_\":$empty," } 1 .. 17000) . "\"$array\""), 'shown'],
    );
}

# The header of a tensor, for an image of another size.
sub resized {
    my ($header, $w, $h) = @_;
    my @types = (['image', 'F32', 3, 4], ['vessel', 'U8', 1, 1], ['fov', 'U8', 1, 1]);
    my ($at, @arrays) = 0;
    for (@types) {
        my ($name, $type, $planes, $size) = @$_;
        my $end = $at + $planes * $size * $w * $h;
        push @arrays, qq("$name":{"dtype":"$type","shape":[1,$planes,$h,$w],"data_offsets":[$at,$end]});
        $at = $end;
    }
    return $header =~ s/"image":.*/join(',', @arrays) . '}'/er;
}

sub spoilt_tensors {
    my ($header, $data) = @_;
    my $good = record($header, $data);
    my $with = changer($header, $data);
    my $swapped = $header =~ s/"vessel"/"x"/r =~ s/"fov"/"vessel"/r =~ s/"x"/"fov"/r;
    return (
        ['a second record of another size', $good . record(resized($header, 4, 4), "\0" x (14 * 16)), 'alone'],
        ['a second record of another normalisation', $good . $with->('"(patch|image)"', '"none"'), 'alone'],
        ['a second record with a metadatum more', $good . $with->('"kind"', '"a":"b","kind"'), 'alone'],
        ['vessel of another shape', $with->('(?<="vessel":\{"dtype":"U8","shape":)\[1,1,2,2\]', '[1,1,1,4]')],
        ['vessel as F32', $with->('(?<="vessel":\{"dtype":")U8', 'F32')],
        ['fov before vessel', record($swapped, $data)],
        ['a promise of 14 TB', record(resized($header, 1 << 20, 1 << 20), $data)],
        ['a promise of 3 GB',  record(resized($header, 1 << 14, 1 << 14), $data)],
        ['a promise of 56 MB', record(resized($header, 1 << 20, 4),       $data)],
    );
}

sub spoilt_models {
    my ($with) = changer(@_);
    my @numbers = ('', qw(nan inf -inf -0.1 1.1 1e999 0,5 0x1p-1 0.5x), ' 0.5');
    return (
        metadata($with, 'channels', '', qw(1 0,1 1,1,1 1,1,1,1,1,1 -1,1 1,1025 1,,1 1,1, 2,2 1024,1024 x 1;1),
            '1024,1024,1024,1024,1024', '1, 1', '1' x 400),
        metadata($with, 'inputs', '', qw(0 1 2 4 -3 3.0 2147483648 4294967299)),
        metadata($with, 'dropout', @numbers),
        metadata($with, 'threshold', @numbers),
        metadata($with, 'network', '', qw(UNET unet2)),
        metadata($with, 'patch', qw(3x4 4x3 1x1)),
        metadata($with, 'normalisation', 'dataset'),
        metadata($with, 'planes', 'green'),
        ['a shape the other way round', $with->('\[1,3,3,3\]', '[3,1,3,3]'), 'shown'],
    );
}

# Lawful as records, and long; whether they are what the tool wants is another question.
sub long_records {
    my ($header, $data) = @_;
    my $with = changer($header, $data);
    my $many = join '', map { sprintf ',"%x":""', $_ } 1 .. 80000;
    return (
        ['80000 metadata',       $with->('("kind":"[^"]*")', "\"kind\":\"x\"$many")],
        ['a metadatum of 1 MB',  $with->('"kind"', '"z":"' . 'z' x 1000000 . '","kind"')],
        ['a header of 1 MiB, most of it blanks', record($header . ' ' x ($MiB - length $header), $data)],
    );
}

# NaN and infinities as the first, the middle and the last number of the data's first `bytes`.
sub spoilt_floats {
    my ($header, $data, $bytes) = @_;
    my %bits = (nan => 0x7fc00000, 'a signalling nan' => 0x7f800001, inf => 0x7f800000, '-inf' => 0xff800000);
    my $last = $bytes / 4 - 1;
    my @spoilt;
    for my $name (sort keys %bits) {
        for my $at (0, int $last / 2, $last) {
            substr(my $bad = $data, 4 * $at, 4) = pack 'V', $bits{$name};
            push @spoilt, ["$name as number $at", record($header, $bad)];
        }
    }
    return @spoilt;
}

sub spoilt_statistics {
    my ($with) = changer(@_);
    my @values = ('', qw(nan nan,nan,nan inf,0,0 -1,0,0 0,0 0,0,0,0 1e999,0,0 2,0,0 0x1,0,0 0;0;0 0,,0 ,0,0), '0' x 300);
    return (metadata($with, 'mean', @values), metadata($with, 'std', @values));
}

# --- Tables: training logs and curves ---

sub table {
    return join '', map { join("\t", @$_) . "\n" } @_;
}

sub spoilt_tables {
    my ($good) = @_;
    my ($header, $first, $rest) = $good =~ /\A([^\n]*\n)([^\n]*\n)(.*)\z/s;
    return (
        ['nothing', '', 'refused'],
        ['a sound one', $good, 'accepted'],
        (map { ["the first line is '$_'", "$_\n$first", 'refused'] } '', "\t", 'x', 'step', 'threshold', ' ' . substr($header, 0, -1)),
        ['another table', $header =~ s/\t/,/gr . $first =~ s/\t/,/gr, 'refused'],
        ['the header twice', $header . $good, 'refused'],
        ['the table twice', $good x 2, 'refused'],
        ['rows that go back', $header . $rest . $first, 'refused'],
        ['a header alone', $header, 'refused'],
        ['a cell less', $header . $first =~ s/\t[^\t]*\n/\n/r, 'refused'],
        ['a cell more', $header . $first =~ s/\n/\t1\n/r, 'refused'],
        ['no end of the last line', substr($good, 0, -1), 'refused'],
        ['CR LF', $good =~ s/\n/\r\n/gr, 'refused'],
        (map { ["behind it '$_'", $good . $_, 'refused'] } 'x', "\n", "\0", "\t\n", "\xff\n"),
        (map { ["a first line of $_ bytes", 'x' x $_ . "\n$first", 'refused'] } 4094 .. 4097, $MiB),
        (map { ["a row of $_ bytes", "$header$first" . '1' x $_ . "\n", 'refused'] } 4094 .. 4097, $MiB),
        ['1 MiB of tabs', "\t" x $MiB . "\n", 'refused'],
        ['1 MiB of empty lines', $header . "\n" x $MiB, 'refused'],
    );
}

# Every cell, but for the epoch that may be any number, being none.
sub spoilt_cells {
    my ($good) = @_;
    my @values = (
        '', qw(nan NaN inf -inf 1e999 -1 0x1 0,5 1_0 1e 1e+ .. - + x NAN na N/A 2e30), ' 1', '1 ', '$0', '`id`',
        "\xc2\xb2", '1' x 400
    );
    my ($header, $first, $rest) = $good =~ /\A([^\n]*\n)([^\n]*\n)(.*)\z/s;
    my @cells = split /\t/, $first =~ s/\n//r;
    my @spoilt;
    for my $at (grep { $_ != 1 && $_ < 9 } 0 .. $#cells) {
        for my $value (@values) {
            my @row = @cells;
            $row[$at] = $value;
            push @spoilt, ["cell $at '$value'", $header . join("\t", @row) . "\n$rest"];
        }
    }
    return @spoilt;
}

1;
