# Mail::DKIM as a judge: verify.pl DIR prints "pass" or "fail: why" for each rsa-sha256 signature of DIR/message.eml, with
# DIR/dns.json (name -> text) in place of DNS. This version knows no Ed25519.
use strict;
use warnings;
use JSON::PP;
use Mail::DKIM::Verifier;

sub slurp { local $/; open my $f, '<:raw', $_[0] or die "$_[0]: $!"; return scalar <$f> }

my $dir = $ARGV[0];
my $records = decode_json(slurp("$dir/dns.json"));
{
    no warnings 'redefine';
    *Mail::DKIM::PublicKey::fetch_async = sub {
        my ($class, %prms) = @_;
        my $on = $prms{Callbacks}{Success};
        my $key = Mail::DKIM::PublicKey->parse($records->{"$prms{Selector}._domainkey.$prms{Domain}"});
        return sub { $on->($key) };
    };
}
my $dkim = Mail::DKIM::Verifier->new();
$dkim->PRINT(slurp("$dir/message.eml"));
$dkim->CLOSE;
for my $signature ($dkim->signatures) {
    next unless $signature->algorithm eq 'rsa-sha256';
    print $signature->result eq 'pass' ? "pass\n" : 'fail: ' . $signature->result_detail . "\n";
}
